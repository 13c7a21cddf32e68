#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# Mail that gets away, and mail that does not: user and invitation stay, the server's words are shown, and the remedy.

load host
load mail

setup_file() {
	store_setup
	mail_ca
	smtp_start tls 2465 --tls --auth hexabot:pw-smtp
	smtp_start main 2587 --starttls --auth hexabot:pw-smtp
	smtp_start plain 2525
	smtp_start unknown 2550 --starttls --refuse '550 5.1.1 No such user here'
	smtp_start greylist 2451 --starttls --refuse '451 4.7.1 Greylisted, try again later'
	smtp_start ascii 2526 --starttls --no-smtputf8
	install -m 600 <(echo pw-smtp) /etc/hexabot/smtp-password
	usual
}

usual() { # the configuration that works
	mail_conf smtp_url smtp://localhost:2587 smtp_user hexabot smtp_password_file /etc/hexabot/smtp-password \
		smtp_ca_file "$CA/ca.pem" mail_from hexabot@example.org login_host testhost smtp_tls ''
}

fails() { # NAME REGEX: the mail does not get away, for that reason; everything else is there
	local reason=$2
	run hexactl invite "$1@example.org" --role manager
	echo "$output"
	[ "$status" -eq 5 ]
	[[ $output == *"$1: invited as manager until "*'; NOT SENT'* ]]
	grep -E "^hexactl: $1: .*$reason.*'hexactl resend $1' tries again" <<<"$output"
	[[ $(sql "SELECT password FROM users WHERE username = '$1'") == '$2!invited.'* ]]
	hexactl list --state invited | grep -w "$1" | grep -q 'not sent'
	hexactl show "$1" | grep -q 'not sent'
	id "$1" >/dev/null
}

@test "STARTTLS with login, and implicit TLS with login" {
	hexactl invite first@example.org --role manager
	mail_strict "$(mail_last main)"
	mail_conf smtp_url smtps://localhost:2465
	hexactl invite second@example.org --role manager
	usual
	mail_strict "$(mail_last tls)"
	[ "$(grep -l '"login": "hexabot", "tls": true' "$MAIL"/{main,tls}/1.json | wc -l)" -eq 2 ]
}

@test "the server is down" {
	mail_conf smtp_url smtp://localhost:2999
	fails down "localhost: .*(refused|connect).*is it running\? check smtp_url"
	usual
}

@test "it offers no STARTTLS; smtp_tls = none does without, for a relay on this host only" {
	mail_conf smtp_url smtp://localhost:2525
	fails notls 'it offers no STARTTLS'
	mail_conf smtp_tls none smtp_user '' smtp_password_file ''
	hexactl resend notls
	mail_strict "$(mail_last plain)"
	mail_conf smtp_url smtp://mail.example.org
	fails elsewhere 'smtp_tls = none: only for a relay on this host, and mail.example.org is another'
	mail_conf smtp_url smtp://127.evil.example
	fails lookalike '127.evil.example is another'
	usual
}

@test "its certificate is another CA's, or another host's" {
	mail_conf smtp_ca_file "$CA/other.pem"
	fails otherca 'its certificate is not to be trusted'
	mail_conf smtp_ca_file ''
	fails systemca 'its certificate is not to be trusted'
	mail_conf smtp_ca_file "$CA/ca.pem" smtp_url smtp://testhost:2587
	fails othername 'its certificate is not to be trusted'
	usual
}

@test "it refuses the login, or wants one; the password's file is nobody else's to read" {
	install -m 600 <(echo pw-wrong) /etc/hexabot/smtp-password
	fails badlogin '535 5.7.8 .*check smtp_user and smtp_password_file'
	[[ $output != *pw-wrong* ]]
	mail_conf smtp_user '' smtp_password_file ''
	fails nologin '530 .*set smtp_user and smtp_password_file'
	usual
	chmod 640 /etc/hexabot/smtp-password
	fails readable 'smtp-password: readable by others .mode 0640.; chmod 600 it'
	mail_conf smtp_user '' smtp_password_file /etc/hexabot/smtp-password
	fails half 'only one of the two is set'
	mail_conf smtp_user '' smtp_password_file '' smtp_url smtp://hexabot:pw-smtp@localhost
	fails inurl 'smtp_url: a login in it could be read by all'
	install -m 600 <(echo pw-smtp) /etc/hexabot/smtp-password
	usual
}

@test "it refuses the recipient, or puts it off" {
	mail_conf smtp_url smtp://localhost:2550 smtp_user '' smtp_password_file ''
	fails nosuch '550 5.1.1 No such user here .refused for good: check the address'
	mail_conf smtp_url smtp://localhost:2451
	fails later '451 4.7.1 Greylisted, try again later .put off: try again later'
	usual
}

@test "no mail server is configured; --print needs none" {
	mail_conf smtp_url ''
	fails nomail 'smtp_url is not set'
	run hexactl resend nomail --print
	echo "$output"
	[ "$status" -eq 0 ]
	grep -qE '^  code  ([0-9A-Z]{5}-){4}[0-9A-Z]{5}$' <<<"$output"
	[[ $output == *'  ssh nomail@testhost'* ]]
	hexactl list --state invited | grep -w nomail | grep -q printed
	usual
}

@test "what was not sent is sent by another try of the same invitation, and then no more" {
	local before
	before=$(mail_count main)
	hexactl invite down@example.org --role manager
	[ "$(mail_count main)" -eq $((before + 1)) ]
	run hexactl invite down@example.org --role manager
	[ "$status" -eq 0 ]
	[[ $output == *'down: already invited'* ]]
	[ "$(mail_count main)" -eq $((before + 1)) ]
}

@test "a domain in UTF-8 is written in ASCII; a UTF-8 name goes by SMTPUTF8, or is clearly refused" {
	env -u LANG LC_ALL=C hexactl invite anna@bücher.example --role manager
	[ "$(mail_python "$(mail_last main)" 'print(message["To"].addresses[0].addr_spec)')" = 'anna@xn--bcher-kva.example' ]
	hexactl invite émile@bücher.example --role manager --username emile
	grep -qx $'To: <émile@xn--bcher-kva.example>\r' "$(mail_last main)"
	grep -q SMTPUTF8 "$(mail_last main | sed 's/eml$/json/')"
	mail_conf smtp_url smtp://localhost:2526 smtp_user '' smtp_password_file ''
	run hexactl invite zoé@example.org --role manager --username zoe2
	usual
	echo "$output"
	[ "$status" -eq 5 ]
	[[ $output == *'does not offer SMTPUTF8, which this address needs'* ]]
	[ "$(mail_count ascii)" -eq 0 ]
}

@test "whatever stands in an address is no header and no other recipient" {
	local before address
	before=$(mail_count main)
	for address in $'x@example.org\r\nBcc: y@example.org' 'x@example.org,y@example.org' 'x@example.org>,<y@example.org' \
		'"x y"@example.org' 'Mona <x@example.org>' 'x y@example.org' $'x\ty@example.org' '@example.org' 'x@' 'x' 'x@y@example.org' \
		'x@[127.0.0.1]' 'x@example..org' $'x\xff@example.org' $'x\u202ey@example.org' "$(printf '%65s' '' | tr ' ' x)@example.org" \
		"x@$(printf '%1000s' '' | tr ' ' x).org"; do
		run hexactl invite "$address" --role manager --username x
		[ "$status" -eq 2 ]
	done
	[ "$(mail_count main)" -eq "$before" ]
	[ -z "$(sql "SELECT id FROM users WHERE username = 'x'")" ]
}

@test "whatever stands in a name, a role or Hexabot's row is no header, no recipient and no HTML" {
	local evil long id
	evil=$'Eve\r\nBcc: z@example.org\r\n\r\n<script>"&\'\u202e'
	long=$(printf '%1000s' '' | tr ' ' w)
	run hexactl invite eve@example.org --role manager --first "$evil"
	[ "$status" -eq 2 ]
	run hexactl invite eve@example.org --role manager --last "$long"
	[ "$status" -eq 2 ]
	run hexactl invite eve@example.org --role $'manager\r\nBcc: z@example.org'
	[ "$status" -eq 3 ]
	hexactl invite eve@example.org --role manager --first 'Ève "& <b>' --last Ünal
	id=$(sql "SELECT id FROM users WHERE username = 'eve'")
	sql "UPDATE users SET firstName = '${evil//"'"/"''"}', lastName = '$long' WHERE id = '$id'"
	sql "INSERT INTO roles (id, created_at, updated_at, name, active) VALUES
		('0', '2026-11-23 17:27:29.753', '2026-11-23 17:27:29.753', 'x' || char(13, 10) || 'Bcc: z@example.org', 1);
		INSERT INTO user_roles VALUES ('$id', '0')"
	hexactl resend eve
	mail_strict "$(mail_last main)"
	mail_python "$(mail_last main)" 'assert "<script" not in html and "&lt;script&gt;" in html and "\u202e" not in html'
	[ "$(grep -c '"to": \["eve@example.org"\]' "$(mail_last main | sed 's/eml$/json/')")" -eq 1 ]
	run hexactl resend eve --print
	[ "$status" -eq 0 ]
	sql "UPDATE users SET email = 'eve@example.org' || char(13, 10) || 'x' WHERE id = '$id'"
	run hexactl resend eve
	[ "$status" -eq 5 ]
	[ "$(grep -lE '^(Bcc|Cc):' "$MAIL"/*/*.eml | wc -l)" -eq 0 ]
}

@test "Postfix delivers it" {
	postfix_start
	mail_conf smtp_tls none smtp_user "" smtp_password_file "" mail_from hexabot@testhost
	mail_conf smtp_url smtp://127.0.0.1:2530
	hexactl invite lars@testhost --role manager --username lars2
	until_true 20 test -s /var/mail/lars
	sed '1d' /var/mail/lars >/tmp/delivered.eml
	mail_python /tmp/delivered.eml 'assert message["To"].addresses[0].addr_spec == "lars@testhost"; print(text)' | grep -q 'ssh lars2@testhost'
	start /usr/sbin/postfix stop
	usual
}
