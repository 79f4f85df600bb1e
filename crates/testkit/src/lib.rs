//! What tests need in place of the world: a clock they move, randomness they repeat, a PostgreSQL of their
//! own, a system to make an image of, and the recorded vendor contract as a judge of requests and answers.
//!
//! Only ever a dev-dependency.

mod clock;
pub mod contract;
mod entropy;
pub mod postgres;
pub mod system;

pub use clock::TestClock;
pub use entropy::SeededEntropy;
