//! Many VPN providers behind one set of traits, chosen at run time.
