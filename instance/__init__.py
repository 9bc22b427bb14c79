"""What lies in a home: settings, tokens, identities, ledgers: what commands and servers share."""
