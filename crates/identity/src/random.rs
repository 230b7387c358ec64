//! Random bytes from the cryptographic library.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The system gave no randomness. Nothing may be made from what is not random, so this ends the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's source of randomness failed")]
pub struct RandomnessError;

/// `N` fresh random bytes, wiped when dropped.
pub(crate) fn random_bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, RandomnessError> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| RandomnessError)?;
    Ok(bytes)
}
