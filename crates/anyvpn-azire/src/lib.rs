//! AzireVPN's API: every documented operation, and the neutral traits.
