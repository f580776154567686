# Gives the profiles of a folder to OpenVPN: openvpn.sh FOLDER. It reads each, shows its list of
# digests and ends. For each profile, one line says `ok`, or `no` and why.
cd "$1"
for file in *.ovpn; do
    if why=$(openvpn --show-digests --config "$file" 2>&1); then echo ok; else echo "no ${why//$'\n'/ }"; fi
done
