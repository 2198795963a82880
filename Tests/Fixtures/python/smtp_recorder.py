"""A mail server by aiosmtpd that writes what it took, a JSON object a line.

usage: smtp_recorder.py [CERTIFICATE KEY USER PASSWORD]   with these it demands STARTTLS and AUTH
"""

import asyncio
import base64
import json
import socket
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Recorder:
    async def handle_DATA(self, server, session, envelope):
        taken = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "encrypted": session.ssl is not None,
            "content": base64.b64encode(envelope.original_content).decode(),
        }
        print(json.dumps(taken), flush=True)
        return "250 2.0.0 recorded"


def serve(listener, certificate=None, key=None, user=None, password=None):
    options = {"enable_SMTPUTF8": True}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        def authenticate(server, session, envelope, mechanism, data):
            right = (data.login, data.password) == (user.encode(), password.encode())
            return AuthResult(success=right)

        options |= {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": authenticate,
        }

    async def run():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Recorder(), **options), sock=listener)
        print("port", listener.getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(run())


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
serve(listener, *sys.argv[1:])
