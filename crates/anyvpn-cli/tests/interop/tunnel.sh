# Brings the tunnel of CONFIG up with the real wg-quick, and prints what wg and the system have then.
#
#     sh tunnel.sh [NAME INTERFACE CONFIG [SERVER PING]]
#
# NAME is the host that CONFIG's endpoint names, if it names one. With SERVER, a file for
# `wg setconf`, there is a peer at 192.0.2.1, and PING, its address in the tunnel, must answer.
# Without arguments it only finds out whether this machine could do all of that.
#
# It must have network, mount and process namespaces of its own: then nothing of it stays.
set -eu

mount -t tmpfs tmpfs /run
# wg-quick's resolvers must not become this machine's.
resolvers=$(readlink -m /etc/resolv.conf)
mkdir -p "$(dirname "$resolvers")"
[ -e "$resolvers" ] || touch "$resolvers"
touch /run/resolv.conf
mount --bind /run/resolv.conf "$resolvers"

ip netns add peer
ip link add name wan type veth peer name wan netns peer
ip address add 192.0.2.2/24 dev wan
ip link set wan up
ip -n peer address add 192.0.2.1/24 dev wan
ip -n peer link set wan up

if [ $# = 0 ]; then
    ip tuntap add dev tunnel mode tun
    ip -6 route add ::/0 dev wan table 51820
    nft add table ip tunnel
    echo nameserver 192.0.2.1 | resolvconf -a tunnel -m 0 -x
    exit
fi
name=$1 interface=$2 config=$3 server=${4-} ping=${5-}

echo "192.0.2.1 $name" >/run/hosts
mount --bind /run/hosts /etc/hosts

if [ -n "$server" ]; then
    ip netns exec peer wireguard-go server >&2
    ip netns exec peer wg setconf server "$server"
    ip -n peer address add "$ping/32" dev server
    ip -n peer link set server up
    ip -n peer route add 10.0.0.0/8 dev server
fi

wg-quick up "$config" >&2
if [ -n "$server" ]; then
    ping -c 3 -i 0.2 -W 5 "$ping" >&2
fi
wg showconf "$interface"
ip address show dev "$interface" | sed 's/^/# /'
sed 's/^/# /' /run/resolv.conf
wg-quick down "$config" >&2
