# Checks the files of the recipe for systemd in FOLDER, and runs its script as its service does: beside a
# sandbox, on a machine whose tunnel is up. Prints the port's number after the first run, after the
# second, and after one in which the clock is that of LATER, a library to preload.
#
#     sh systemd.sh [ANYVPN FOLDER LATER]
#
# Without arguments it only finds out whether this machine could do that. It must have network and mount
# namespaces of its own: then nothing of it stays.
set -eu

mount -t tmpfs tmpfs /usr/local/bin
[ $# = 0 ] && exit
touch /usr/local/bin/anyvpn
mount --bind "$1" /usr/local/bin/anyvpn
install -m 755 "$2/anyvpn-port" /usr/local/bin
systemd-analyze --man=no verify "$2/anyvpn-port.service" "$2/anyvpn-port.timer" 2>&1

ip link set lo up
anyvpn=/usr/local/bin/anyvpn
"$anyvpn" --quiet sandbox > "$2/environment" &
until grep -q ANYVPN_PROVIDER "$2/environment"; do sleep 0.1; done
. "$2/environment"
"$anyvpn" --quiet config get se-sto --output "$2/azire.conf" > /dev/null
address=$(sed -n 's/^Address = \([0-9.]*\).*/\1/p' "$2/azire.conf")
ip address add "$address/32" dev lo

export RUNTIME_DIRECTORY="$2"
anyvpn-port && cat "$2/port"
anyvpn-port && cat "$2/port"
LD_PRELOAD="$3" anyvpn-port && cat "$2/port"
