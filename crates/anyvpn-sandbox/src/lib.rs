//! A local server that imitates the VPN providers' APIs, with state, a clock and faults.
