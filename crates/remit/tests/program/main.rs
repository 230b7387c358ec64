//! Black-box tests: the built program, driven from outside as users, agents and disks drive it.
//!
//! Architecture invariant: nothing here reaches into the program. What is known of it comes over its sockets, from its exit
//! status and from the files that it leaves behind. One binary for all, since linking it is what takes long; what is heavy
//! waits for its turn, so that two cores are enough.

#[cfg(test)]
mod cascade;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod prove;
#[cfg(test)]
mod prove_aside;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod run;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod who;
