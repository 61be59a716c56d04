"""What every command shares: errors people can act on, files that are whole or absent."""
