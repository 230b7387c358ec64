//! Places for connections: so many at one listener, and of these so many for one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[cfg(test)]
mod tests;

/// Connections that are open at a time; whoever comes then waits in the operating system's queue.
const CONNECTIONS_MAX: usize = 8_192;
/// Of these, from one address: enough for a machine full of agents, and too few to keep all others out.
const CONNECTIONS_OF_ONE_MAX: usize = 512;
/// One network of IPv6 counts as one address (RFC 6177): whoever has one address of it has all of them.
const IPV6_NETWORK: u128 = !0 << 64;

/// The places of one listener. Clones share them.
#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(CONNECTIONS_MAX)), taken: Arc::default() }
    }
}

impl Places {
    /// Room for one connection, once there is some.
    pub async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// The place of a connection from `address`, or nothing if that address has as many as it may.
    pub fn take(&self, room: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let of = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(of).or_default();
        if *count >= CONNECTIONS_OF_ONE_MAX {
            return None;
        }
        *count += 1;
        Some(Place { of, taken: Arc::clone(&self.taken), _room: room })
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & IPV6_NETWORK)),
        address @ IpAddr::V4(_) => address,
    }
}

/// The place of one connection, free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    of: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.of);
            }
        }
    }
}
