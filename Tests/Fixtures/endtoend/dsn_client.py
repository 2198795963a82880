#!/usr/bin/env python3
"""Sends a message with notification requests (RFC 3461) by SMTP.

usage: dsn_client.py PORT SENDER "MAIL OPTIONS" RECIPIENT="RCPT OPTIONS" ...
"""

import smtplib
import sys

_, port, sender, options, *recipients = sys.argv
with smtplib.SMTP("127.0.0.1", int(port), local_hostname="client.test") as client:
    client.ehlo()
    for code, text in [client.mail(sender, options.split())] + [
        client.rcpt(recipient, wishes.split()) for recipient, _, wishes in (word.partition("=") for word in recipients)
    ] + [client.data(f"From: {sender}\r\nSubject: x\r\n\r\n..\r\n{'long ' * 300}\r\n".encode())]:
        if code != 250:
            sys.exit(f"{code} {text}")
