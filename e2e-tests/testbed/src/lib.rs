//! The policy and the reconciler on a real API server.
