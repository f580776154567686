# Runs the service of the guide as systemd does, beside a sandbox, on a machine whose tunnel is up. Prints the
# port's number after the first start, and after the second.
#
#     bash systemd.sh [ANYVPN UNIT CONFIG FOLDER]
#
# Without arguments, the script only finds out whether this machine can do that. It must have namespaces of its
# own for network, mounts and processes, so that nothing of it stays.
set -eu

mount -t tmpfs tmpfs /usr/local/bin
mount -t tmpfs tmpfs /run
ip tuntap add azire mode tun
[ $# = 0 ] && exit
anyvpn=/usr/local/bin/anyvpn unit=$2 config=$3 folder=$4
touch "$anyvpn"
mount --bind "$1" "$anyvpn"
systemd-analyze --man=no verify "$unit" 2>&1

ip link set lo up
"$anyvpn" --quiet sandbox > "$folder/variables" &
until grep -q ANYVPN_PROVIDER "$folder/variables"; do sleep 0.1; done
. "$folder/variables"
"$anyvpn" --quiet config get se-sto --output "$folder/azire.conf" > /dev/null
address=$(sed -n 's/^Address = \([0-9.]*\).*/\1/p' "$folder/azire.conf")
ip address add "$address/32" dev azire
ip link set azire up

# What LoadCredential=, StateDirectory=, RuntimeDirectory= and Environment= provide.
umask 077
export CREDENTIALS_DIRECTORY=/run/credentials/anyvpn-port-keep.service
export STATE_DIRECTORY="$folder/state" RUNTIME_DIRECTORY=/run/anyvpn-port XDG_CONFIG_HOME="$folder"
mkdir -p "$CREDENTIALS_DIRECTORY" "$STATE_DIRECTORY" "$folder/anyvpn"
printf %s "$ANYVPN_AZIRE_TOKEN" > "$CREDENTIALS_DIRECTORY/azire-token"
printf %s secret > "$CREDENTIALS_DIRECTORY/qbittorrent-password"
# The page's profile, at the sandbox.
{ cat "$config"; printf 'url = "%s"\n' "$ANYVPN_AZIRE_URL"; } > "$folder/anyvpn/config.toml"
for variable in $(env | sed -n 's/^\(ANYVPN_[A-Z_]*\)=.*/\1/p'); do unset "$variable"; done

command=$(sed -n '/^ExecStart=/,/[^\\]$/p' "$unit" | sed 's/^ExecStart=//; s/\\$//')
for start in 1 2; do
    mkdir "$RUNTIME_DIRECTORY"
    $command > /dev/null 2> "$folder/log" &
    service=$!
    until [ -s "$RUNTIME_DIRECTORY/port" ]; do
        sleep 0.1
        kill -0 "$service" || { cat "$folder/log" >&2; exit 1; }
    done
    # The file is gluetun's, which has no newline.
    echo "$(cat "$RUNTIME_DIRECTORY/port")"
    kill -HUP "$service"
    kill -TERM "$service"
    wait "$service"
    # systemd removes the folder when the service has stopped.
    rm -r "$RUNTIME_DIRECTORY"
done
