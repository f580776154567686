# Gives FILE to `wg setconf`, and prints what wg has then: setconf.sh [FILE]
#
# Without FILE it only makes the interface. It must have network, mount and process namespaces of its own.
set -eu

mount -t tmpfs tmpfs /run
echo "192.0.2.1 se-sto.azirevpn.example" >/run/hosts
mount --bind /run/hosts /etc/hosts
ip link add wg0 type wireguard 2>/dev/null || wireguard-go wg0 >/dev/null 2>&1
if [ $# = 0 ]; then exit; fi
wg setconf wg0 "$1"
wg showconf wg0
