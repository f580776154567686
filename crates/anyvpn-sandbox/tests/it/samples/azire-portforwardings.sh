# Retrieve portforwardings
curl -G https://api.azirevpn.com/v3/portforwardings?internal_ipv4=10.0.16.181 \
  -H "Authorization: Bearer {token}"

# Create portforwarding
curl https://api.azirevpn.com/v3/portforwardings \
  -H "Authorization: Bearer {token}" \
  --json '{
    "internal_ipv4": "10.0.16.181",
    "hidden": false,
    "expires_in": 0
  }'

# Update portforwarding
curl -X PUT https://api.azirevpn.com/v3/portforwardings \
  -H "Authorization: Bearer {token}" \
  --json '{
    "internal_ipv4": "10.0.16.181",
    "hidden": false,
    "expires_in": 0
  }'

# Delete portforwarding
curl -X DELETE https://api.azirevpn.com/v3/portforwardings \
  -H "Authorization: Bearer {token}" \
  --json '{
    "internal_ipv4": "10.0.16.181",
    "port": 58532
  }'

# Check portforwarding by GET
curl -G https://api.azirevpn.com/v3/portforwardings/check/1337

# Check portforwarding by POST
curl -G https://api.azirevpn.com/v3/portforwardings/check/1336 \
  -d port=1336 \

