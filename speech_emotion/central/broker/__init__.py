"""mosquitto, set up: certificates, users and passwords, who may say what; made and changed by commands."""
