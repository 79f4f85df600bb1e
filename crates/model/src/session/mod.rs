//! The persistent session and the app instance that carries it.
