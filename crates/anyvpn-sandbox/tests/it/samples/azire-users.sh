# Create user
curl https://api.azirevpn.com/v3/users \
  --json '{
    "username": "david",
    "password": "my_secure_password",
    "referral_code": "1337"
  }'

# Get authenticated user
curl https://api.azirevpn.com/v3/users/me \
  -H "Authorization: Bearer {token}"

# Delete authenticated user
curl -X DELETE https://api.azirevpn.com/v3/users/me \
  -H "Authorization: Bearer {token}" \
  --json '{
    "password": "my_secure_password"
  }'

# Generate OTP (One-Time Password)
curl https://api.azirevpn.com/v3/users/me/otps \
  -H "Authorization: Bearer {token}"

# Update password
curl -X PUT https://api.azirevpn.com/v3/users/me/password \
  -H "Authorization: Bearer {token}" \
  --json '{
    "new_password": "password_secure_new"
  }'

# Update username
curl -X PUT https://api.azirevpn.com/v3/users/me/username \
  -H "Authorization: Bearer {token}" \
  --json '{
    "new_username": "python"
  }'

# Update email
curl -X PUT https://api.azirevpn.com/v3/users/me/email \
-H "Authorization: Bearer {token}" \
--json '{
"email": "new@nice.email"
}'

# Delete email
curl -X DELETE https://api.azirevpn.com/v3/users/me \
  -H "Authorization: Bearer {token}"

