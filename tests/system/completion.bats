#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What real shells complete, by the scripts that `make install` puts where they look for them.

load host

# The line as typed | as it is after the tabulator: unchanged where there is nothing to offer, or more than one thing.
cases='hexactl disa|hexactl disable
hexactl role rem|hexactl role remove
hexactl show mon|hexactl show mona
hexactl disable ada --hold mon|hexactl disable ada --hold mona
hexactl role add mona pub|hexactl role add mona public
hexactl role add mon|hexactl role add mona
hexactl list --state hel|hexactl list --state held
hexactl list --state=hel|hexactl list --state=held
hexactl list --role=pub|hexactl list --role=public
hexactl list --unm|hexactl list --unmapped
hexactl init --store /srv/hexabot/hexab|hexactl init --store /srv/hexabot/hexabot.sqlite
hexactl passwd --config /etc/hexabot/hexabot.conf mon|hexactl passwd --config /etc/hexabot/hexabot.conf mona
hexactl passwd --config=/etc/hexabot/hexabot.conf mon|hexactl passwd --config=/etc/hexabot/hexabot.conf mona
hexactl set mona --expires n|hexactl set mona --expires never
hexactl erase mona --remo|hexactl erase mona --remove-home
hexactl completion zs|hexactl completion zsh
hexactl show mona ad|hexactl show mona ad
hexactl invite mon|hexactl invite mon
hexactl set mona --login mon|hexactl set mona --login mon
hexactl bogus mon|hexactl bogus mon'

# What explain takes.
! hexactl --help 2>/dev/null | grep -q '^  explain ' || cases+='
hexactl explain mon|hexactl explain mona
hexactl explain mona --service newu|hexactl explain mona --service newusers'

setup_file() {
	host_setup
	store_make
	hexactl init --store "$STORE"
}

as_in_the_table() { # the completed lines on stdin
	sed 's/ *$//' | diff <(cut -d '|' -f 2 <<<"$cases") -
}

commands() { # every command's name, by hexactl's own help
	hexactl --help | sed -n 's/^  \([a-z]*\( [a-z]\+\)\?\) .*/\1/p' | sed 's/ *$//'
}

options() { # COMMAND: of its help
	# shellcheck disable=SC2086
	hexactl $1 --help | sed -n 's/^  \(--[a-z-]*\) .*/\1/p' | sort
}

bash_replies() { # WORD...: what the function offers for the last one
	# shellcheck disable=SC2016
	bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader hexactl
		COMP_WORDS=(hexactl "$@") COMP_CWORD=$#; _hexactl; printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort
}

fish_replies() { # LINE
	fish -c "complete -C '$1'" | cut -f 1 | sort
}

@test "bash completes" {
	cut -d '|' -f 1 <<<"$cases" | "$HERE/press_tab.exp" bash | as_in_the_table
}

@test "zsh completes" {
	cut -d '|' -f 1 <<<"$cases" | "$HERE/press_tab.exp" zsh | as_in_the_table
}

@test "fish completes" {
	local line replies
	cut -d '|' -f 1 <<<"$cases" | while read -r line; do
		replies=$(fish_replies "$line") # the last word alone
		[ "$(grep -c . <<<"$replies")" -eq 1 ] || replies=${line##* }
		echo "${line% *} $replies"
	done | as_in_the_table
}

@test "every option of every command is offered, and no other" {
	local command fish
	[ "$(commands | wc -l)" -ge 19 ]
	# One shell for all of them: it takes a while to start.
	fish=$(commands | sed "s/.*/echo '= &'; complete -C 'hexactl & --'/" | fish | cut -f 1)
	while read -r command; do
		# shellcheck disable=SC2086
		diff <(options "$command") <(bash_replies $command --)
		diff <(options "$command") <(awk -v c="= $command" '/^=/ { on = $0 == c; next } on' <<<"$fish" | sort)
		zsh -c "$(hexactl completion zsh | sed '$d'); _arguments() { print -rl -- \"\$@\" }; _hexactl_arguments '$command'" |
			sed -n 's/^[*]\?\(--[a-z-]*\).*/\1/p' | sort | diff <(options "$command") -
	done < <(commands)
	diff <(commands | cut -d ' ' -f 1 | sort -u) <(bash_replies '' | grep -v '^--help$')
	diff <(commands | cut -d ' ' -f 1 | sort -u) <(fish_replies 'hexactl ')
	diff <(commands | sed -n 's/^role //p' | sort) <(bash_replies role '')
	diff <(commands | sed -n 's/^role //p' | sort) <(fish_replies 'hexactl role ')
}

@test "the states offered are those that list takes" {
	run hexactl list --state bogus
	diff <(echo "${output##*none of }" | xargs -n 1 | sort) <(bash_replies list --state '')
}

@test "names are those that the host knows, for root" {
	diff <(hexactl list | awk 'NR > 1 && $1 != "-" { print $1 }' | sort) <(hexactl completion users | sort)
	diff <(hexactl role list | awk 'NR > 1 && $3 != "-" { print $1 }' | sort) <(hexactl completion roles | sort)
	json_fits completion hexactl completion users --json
	[ "$(hexactl completion roles --json | tr -d '[]," ' | grep .)" = "$(hexactl completion roles)" ]
}

@test "to others it offers no names, and its scripts all the same" {
	[ -z "$(as mona hexactl completion users 2>&1)" ]
	[ -z "$(as mona hexactl completion roles 2>&1)" ]
	as mona hexactl completion users
	[ "$(as mona hexactl completion bash)" = "$(cat /usr/share/bash-completion/completions/hexactl)" ]
	[ "$(as mona hexactl completion zsh)" = "$(cat /usr/share/zsh/vendor-completions/_hexactl)" ]
	[ "$(as mona hexactl completion fish)" = "$(cat /usr/share/fish/vendor_completions.d/hexactl.fish)" ]
	run as mona hexactl list
	[ "$status" -eq 1 ]
	run hexactl completion tcsh
	[ "$status" -eq 2 ]
	run hexactl completion bash --json
	[ "$status" -eq 2 ]
}

@test "it does not ask Hexabot's database, and says nothing where the map is gone" {
	local users
	users=$(hexactl completion users)
	mv "$STORE" /srv/hexabot/away
	[ "$(hexactl completion users)" = "$users" ]
	mv "$MAP" /var/lib/hexactl/away
	[ -z "$(hexactl completion users 2>&1)" ]
	hexactl completion roles
	mv /var/lib/hexactl/away "$MAP"
	mv "$CONF" "$CONF.away"
	[ -z "$(hexactl completion roles 2>&1)" ]
	mv "$CONF.away" "$CONF"
	mv /srv/hexabot/away "$STORE"
}
