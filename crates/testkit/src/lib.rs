//! What tests need in place of the world: a clock they move, randomness they repeat, and the recorded
//! vendor contract as a judge of requests and answers.
//!
//! Only ever a dev-dependency.

mod clock;
pub mod contract;
mod entropy;

pub use clock::TestClock;
pub use entropy::SeededEntropy;
