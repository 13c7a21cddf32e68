# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2153,SC2154
# Mail in the system tests: servers of ours, and what other people's programs say of a message. After host.bash.

MAIL=/tmp/mail # MAIL/NAME is the server NAME's directory
CA=/etc/mail-ca

mail_ca() { # a certificate for this host and its CA, and another CA that nobody trusts
	mkdir -p "$CA"
	(
		cd "$CA" || exit
		for name in ca other; do
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
				-subj "/CN=$name" -keyout "$name.key" -out "$name.pem"
		done
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout key.pem -out csr.pem
		openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 30 -out cert.pem \
			-extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1')
	) 2>/dev/null
}

smtp_start() { # NAME PORT OPTION...: see smtpd.py
	local tls=()
	[[ " $* " != *tls\ * ]] || tls=(--cert "$CA/cert.pem" --key "$CA/key.pem")
	mkdir -p "$MAIL/$1"
	start "$HERE/smtpd.py" "$2" "$MAIL/$1" "${@:3}" "${tls[@]}"
	until_true 10 test -s "$MAIL/$1/pid"
}

smtp_stop() { # NAME
	local pid
	pid=$(cat "$MAIL/$1/pid")
	kill "$pid"
	until_true 10 test ! -e "/proc/$pid"
	rm "$MAIL/$1/pid"
}

mail_conf() { # KEY VALUE...: sets them in the configuration
	while [ $# -gt 0 ]; do
		sed -i "/^$1 *=/d" "$CONF"
		[ -z "$2" ] || echo "$1 = $2" >>"$CONF"
		shift 2
	done
}

mail_count() { # NAME
	find "$MAIL/$1" -name '*.eml' | wc -l
}

mail_wait() { # NAME N: until N messages are there
	until_true 10 mail_has "$@" && return
	echo "$1 has $(mail_count "$1") messages, not $2"
	return 1
}

mail_has() { # NAME N
	[ "$(mail_count "$1")" -ge "$2" ]
}

mail_last() { # NAME: the file of the last message
	echo "$MAIL/$1/$(mail_count "$1").eml"
}

# Parses FILE strictly, and runs PYTHON on it: `message`, and the decoded bodies `text` and `html`.
mail_python() { # FILE PYTHON
	python3 - "$1" "$2" <<-'END'
		import email, email.policy, re, sys
		policy = email.policy.strict.clone(utf8=True)
		message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=policy)
		for part in message.walk():
		    assert not part.defects, part.defects
		    for name, value in part.items():
		        assert not getattr(value, "defects", ()), (name, value.defects)
		assert message.get_content_type() == "multipart/alternative", message.get_content_type()
		plain, rich = message.iter_parts()
		assert plain.get_content_type() == "text/plain" and rich.get_content_type() == "text/html"
		assert plain.get_content_charset() == rich.get_content_charset() == "utf-8"
		text, html = plain.get_content(), rich.get_content()
		exec(sys.argv[2])
	END
}

mail_strict() { # FILE: everything that a message of ours has, once
	mail_python "$1" '
for name in ("Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted", "MIME-Version"):
    assert len(message.get_all(name, [])) == 1, name
assert message["Date"].datetime.tzinfo is not None
assert len(message["To"].addresses) == 1 and len(message["From"].addresses) == 1
assert message["Auto-Submitted"] == "auto-generated"
assert "X-Mailer" not in message and "Bcc" not in message and "Cc" not in message
assert not re.search(rb"(?<!\r)\n|\r(?!\n)", open(sys.argv[1], "rb").read()), "a lone CR or LF"
assert all(len(line) <= 998 for line in open(sys.argv[1], "rb").read().split(b"\r\n"))
assert "Hello" in text and "Hello" in html'
}

mail_text() { # FILE
	mail_python "$1" 'print(text)'
}

mail_html() { # FILE
	mail_python "$1" 'print(html)'
}

mail_code() { # FILE
	mail_python "$1" 'print(re.search(r"^    (([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5})$", text, re.M).group(1))'
}

mail_link() { # FILE
	mail_python "$1" 'print(re.search(r"^https?://\S+/reset/\S+$", text, re.M).group(0))'
}

jwt_email() { # TOKEN SECRET: prints email and the seconds until it expires, by another implementation of JWT than ours
	python3 -c 'import jwt, sys, time
claims = jwt.decode(sys.argv[1], sys.argv[2], algorithms=["HS256"], options={"require": ["iat", "exp"]})
assert set(claims) == {"email", "iat", "exp"}, claims
assert jwt.get_unverified_header(sys.argv[1]) == {"alg": "HS256", "typ": "JWT"}
print(claims["email"], claims["exp"] - claims["iat"])' "$1" "$2"
}

bcrypt_fits() { # HASH TEXT: whether it does, by another implementation of bcrypt than ours
	python3 -c 'import bcrypt, sys
sys.exit(0 if bcrypt.checkpw(sys.argv[2].encode()[:72], sys.argv[1].encode()) else 1)' "$1" "$2"
}

postfix_start() { # delivers to local users' mailboxes in /var/mail, on port 2530
	cat >/etc/postfix/main.cf <<-END
		compatibility_level = 3.6
		myhostname = testhost
		mydestination = testhost, localhost
		mynetworks = 127.0.0.0/8
		inet_interfaces = loopback-only
		inet_protocols = ipv4
		alias_maps =
		smtputf8_enable = yes
	END
	sed -i 's/^smtp  *inet/2530 inet/' /etc/postfix/master.cf
	# Postfix waits until its configuration is older than two seconds.
	touch -d '1 minute ago' /etc/postfix/main.cf /etc/postfix/master.cf
	start /usr/sbin/postfix start
	until_true 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/2530' 2>/dev/null
}

postfix_stop() {
	start /usr/sbin/postfix stop
}
