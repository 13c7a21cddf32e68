#!/usr/bin/awk -f
# SPDX-License-Identifier: ISC
# terminal.awk: text as a terminal shows it, as SVG. Knows the escape sequences for bold, dim and the colours red, green and
# yellow; nothing else moves the cursor. -v title=TEXT, -v columns=N:
# what is longer is cut.

function escaped(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	return text
}

function span(text) {
	return class == "" ? escaped(text) : "<tspan class=\"" class "\">" escaped(text) "</tspan>"
}

function style(code) {
	if (code == "" || code == "0") class = ""
	else if (code == "1") class = "bold"
	else if (code == "2") class = "dim"
	else if (code == "31" || code == "1;31") class = "red"
	else if (code == "32" || code == "1;32") class = "green"
	else if (code == "33" || code == "1;33") class = "yellow"
}

# What still has room in the line.
function room(text) {
	if (length(text) > columns - used)
		text = substr(text, 1, columns - used - 1) (used < columns ? "…" : "")
	used += length(text)
	return text
}

{
	line = $0
	shown = ""
	used = 0
	while (match(line, /\033\[[0-9;]*m/)) {
		shown = shown span(room(substr(line, 1, RSTART - 1)))
		style(substr(line, RSTART + 2, RLENGTH - 3))
		line = substr(line, RSTART + RLENGTH)
	}
	lines[NR] = shown span(room(line))
	if (used > width)
		width = used
}

END {
	# A monospaced character is 0.6 of its size; some fonts are wider.
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n", width * 8 + 32, NR * 18 + 28
	printf "<title>%s</title>\n", escaped(title)
	print "<style>rect{fill:#0d1117}text{font:13px ui-monospace,monospace;fill:#e6edf3;white-space:pre}"
	print ".bold{font-weight:bold}.dim{fill:#9198a1}.red{fill:#ff7b72;font-weight:bold}.green{fill:#56d364}.yellow{fill:#e3b341}</style>"
	print "<rect width=\"100%\" height=\"100%\" rx=\"8\"/>"
	for (i = 1; i <= NR; i++)
		printf "<text x=\"16\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", i * 18 + 12, lines[i]
	print "</svg>"
}
