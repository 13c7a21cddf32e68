#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Whatever is wrong with configuration, module or map: Hexabot's users are refused, nobody else notices.

load broken

refused='pam_hexabot\((sshd):(auth|account)\): refused mona from [^ ]*: .*'
no_map="pam_hexabot\((sshd):auth\): no Hexabot user is known: $MAP: "

@test "the configuration has a typo" {
	echo 'login_rolls = admin' >>"$CONF"
	mona_alone_is_refused "$refused$CONF:$(wc -l <"$CONF"): .*login_rolls"
}

@test "the configuration has a bad value" {
	echo 'password_cost = twelve' >>"$CONF"
	mona_alone_is_refused "$refused$CONF:$(wc -l <"$CONF"): .*password_cost"
}

@test "the configuration is absent" {
	rm "$CONF"
	mona_alone_is_refused "$refused$CONF: "
}

@test "the configuration is writable by others" {
	chmod 666 "$CONF"
	mona_alone_is_refused "$refused$CONF: writable by others"
}

@test "an option in the PAM stack has a typo" {
	sed -i '/pam_hexabot/s/$/ rolls=admin/' /etc/pam.d/common-*
	mona_alone_is_refused "${refused}unknown option 'rolls=admin'"
}

@test "the module file is missing" {
	rm "$MODULE"
	mona_alone_is_refused 'PAM unable to dlopen\(pam_hexabot\.so\)'
}

@test "the module file is no module" {
	echo >"$MODULE"
	mona_alone_is_refused 'PAM unable to dlopen\(pam_hexabot\.so\)'
}

@test "the map is missing" {
	rm "$MAP"
	mona_alone_is_refused "$no_map"
}

@test "the map is empty" {
	rm "$MAP"
	touch "$MAP"
	mona_alone_is_refused "$no_map"
}

@test "the map is cut off" {
	head -c 200 "$MAP" >"$MAP.new"
	mv "$MAP.new" "$MAP"
	mona_alone_is_refused "$no_map"
}

@test "the map is of another version" {
	{ head -c 24 "$MAP" && printf '\x63' && tail -c +26 "$MAP"; } >"$MAP.new" # its major version
	mv "$MAP.new" "$MAP"
	mona_alone_is_refused "$no_map"
}

@test "the map is writable by others" {
	chmod 666 "$MAP"
	mona_alone_is_refused "$no_map"
}

@test "the map is not there and the store neither" {
	rm "$MAP" "$STORE"
	mona_alone_is_refused "$no_map"
}

@test "publish makes a missing map anew" {
	rm "$MAP"
	hexactl publish
	ssh_password mona pw-mona true
}
