# Finds out whether this machine could carry a data plane: namespaces, tunnels and rules.
set -eu

mount -t tmpfs tmpfs /run
mount -t proc proc /proc
ip tuntap add dev tunnel mode tun
nft add table ip tunnel
