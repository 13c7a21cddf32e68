#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""smtpd.py PORT DIR [OPTION...]: an SMTP server on 127.0.0.1. Each message that it takes becomes DIR/N.eml, its envelope
DIR/N.json. Goes to the background once it listens; DIR/pid is its process."""
import argparse
import asyncio
import json
import os
import pathlib
import socket
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="a login is required, and offered over TLS only")
    parser.add_argument("--auth-plain-ok", action="store_true", help="offered without TLS, too")
    parser.add_argument("--refuse", metavar="REPLY", help="to every recipient")
    parser.add_argument("--no-smtputf8", action="store_true")
    parser.add_argument("--silent", action="store_true", help="never says a word")
    return parser.parse_args()


class Handler:
    def __init__(self, options):
        self.options = options
        self.count = len(list(options.dir.glob("*.eml")))  # one that is started again counts on

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.options.refuse:
            return self.options.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        path = self.options.dir / f"{self.count}.eml"
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "mail_options": envelope.mail_options,
            "login": session.auth_data.decode() if session.authenticated else None,
            "tls": session.ssl is not None or self.options.tls,
        }
        path.with_suffix(".json").write_text(json.dumps(facts))
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(envelope.original_content)
        temporary.rename(path)
        return "250 OK"


def authenticator(expected):
    def check(server, session, envelope, mechanism, data):
        right = f"{data.login.decode()}:{data.password.decode()}" == expected
        return AuthResult(success=right, handled=right, auth_data=data.login if right else None,
                          message=None if right else "535 5.7.8 Authentication credentials invalid")
    return check


async def silent(reader, writer):
    await reader.read()


def to_background(directory, listening):
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    # bats waits for whoever keeps its descriptors.
    os.closerange(3, listening.fileno())
    os.closerange(listening.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    temporary = directory / "pid.tmp"
    temporary.write_text(str(os.getpid()))
    temporary.rename(directory / "pid")


def main():
    options = arguments()
    options.dir.mkdir(parents=True, exist_ok=True)
    listening = socket.create_server(("127.0.0.1", options.port))
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    to_background(options.dir, listening)
    handler = Handler(options)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def protocol():
        return SMTP(handler, hostname="testhost", enable_SMTPUTF8=not options.no_smtputf8, loop=loop,
                    tls_context=context if options.starttls else None,
                    authenticator=authenticator(options.auth) if options.auth else None,
                    auth_required=bool(options.auth), auth_require_tls=not (options.tls or options.auth_plain_ok))

    if options.silent:
        loop.run_until_complete(asyncio.start_server(silent, sock=listening))
    else:
        loop.run_until_complete(loop.create_server(protocol, sock=listening, ssl=context if options.tls else None))
    loop.run_forever()


main()
