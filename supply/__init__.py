"""What a release is made of, and what it stands on: licences, advisories, the release itself."""
