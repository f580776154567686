# Gives files to wg, wg-quick and ip in a network namespace of its own, which ends with this script:
# wireguard.sh FOLDER. For each file and value, one line says `ok`, or `no` and why. Without arguments
# it only makes an interface.
set -e
ip link set lo up
ip link add wg0 type wireguard 2>/dev/null || wireguard-go wg0 >/dev/null 2>&1
if [ $# = 0 ]; then exit; fi
cd "$1"
# Names are looked up here and nowhere else, and not a second time.
mount --bind hosts /etc/hosts
export WG_ENDPOINT_RESOLUTION_RETRIES=0
try() {
    if why=$("$@" 2>&1); then echo ok; else echo "no ${why//$'\n'/ }"; fi
}
strip() {
    local stripped
    stripped=$(wg-quick strip "$1") || return
    wg setconf wg0 /dev/stdin <<< "$stripped"
}
for file in setconf/*.conf; do try wg setconf wg0 "$file"; done
for file in quick/*.conf; do try strip "$PWD/$file"; done
for file in forms/*.conf; do try wg setconf wg0 "$file"; done
while read -r address; do
    family=-4
    case $address in *:*) family=-6;; esac
    try ip $family address add "$address" dev wg0
    ip address flush dev wg0
done < addresses
while read -r mtu; do try ip link set mtu "$mtu" dev wg0; done < mtus
