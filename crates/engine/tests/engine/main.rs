//! The engine on a real directory: what it keeps, what it refuses, what it makes again, and what time does to it.

#[cfg(test)]
mod anchor;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod cascade;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod content;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod load;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod rebuilt;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod time;
#[cfg(test)]
mod whole;
