# Lets NetworkManager import files: networkmanager.sh [TYPE FILE]...
#
# For each file, one line says `ok`, or `no` and why. What NetworkManager has stored follows. Without
# arguments, the script only finds out whether NetworkManager runs here.
#
# It must have network, mount and process namespaces of its own: bus, settings and state are in memory, and
# all of it ends with this script.
set -eu

[ -e /usr/lib/NetworkManager/VPN/nm-openvpn-service.name ] || {
    echo "there is no plugin for OpenVPN: apt-get install network-manager-openvpn" >&2
    exit 1
}
for folder in /run /etc/NetworkManager /var/lib/NetworkManager; do
    mount -t tmpfs tmpfs "$folder"
done
mkdir -p /run/home /etc/NetworkManager/system-connections
# Certificates in a profile are stored here.
export HOME=/run/home
cat >/run/bus.conf <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="*"/>
    <allow receive_type="*"/>
  </policy>
</busconfig>
END
cat >/etc/NetworkManager/NetworkManager.conf <<'END'
[main]
plugins=keyfile
no-auto-default=*
dns=none
rc-manager=unmanaged
auth-polkit=false
[keyfile]
unmanaged-devices=*
END
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus
dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile >/run/bus.log 2>&1 &
NetworkManager --no-daemon --log-level=WARN >/run/log 2>&1 &
tries=0
until nmcli general status >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { cat /run/bus.log /run/log >&2; exit 1; }
    sleep 0.1
done

while [ $# -gt 0 ]; do
    if why=$(nmcli connection import type "$1" file "$2" 2>&1); then echo ok; else echo "no $why"; fi
    shift 2
done
cat /etc/NetworkManager/system-connections/* 2>/dev/null || true
