#!/bin/sh
# rustdoc with its unstable options: JSON, and `doc(cfg)`. For the compiler the same variable would
# build every dependency anew.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
