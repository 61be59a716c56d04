"""Devices in many places, one central service: messages in, decisions kept, shown and passed on."""
