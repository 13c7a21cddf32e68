# SPDX-License-Identifier: ISC
# bench.tsv as a picture: what a random getpwnam costs over the number of users, both logarithmic.

BEGIN {
	FS = "\t"
	names = split("files extrausers sqlite cache db nscd sss hexabot", name, " ")
	split("files,libnss-extrausers,SQLite per call,libnss-cache,libnss-db,nscd,SSSD,hexabot", title, ",")
	left = 70; right = 560; top = 50; bottom = 370
}

$1 == "getpwnam" && $2 == "hit" {
	value[$3, $4] = $5
	if (!($4 in seen)) { seen[$4] = 1; size[++sizes] = $4 }
	low = low == 0 || $5 < low ? $5 : low
	high = $5 > high ? $5 : high
	few = few == 0 || $4 < few ? $4 : few
	many = $4 > many ? $4 : many
}

function log10(n) { return log(n) / log(10) }

function x(n) { return many == few ? left : left + (right - left) * log(n / few) / log(many / few) }

function y(ns) { return bottom - (bottom - top) * (log10(ns) - floor) / (ceiling - floor) }

function axis(    d, i, unit) {
	split("1 ns,10 ns,100 ns,1 µs,10 µs,100 µs,1 ms,10 ms,100 ms,1 s,10 s", unit, ",")
	for (d = floor; d <= ceiling; d++) {
		printf "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", left, y(10 ^ d), right
		printf "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", left - 8, y(10 ^ d) + 4, unit[d + 1]
	}
	for (i = 1; i <= sizes; i++)
		printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x(size[i]), bottom + 20, grouped(size[i])
	printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">users</text>\n", (left + right) / 2, bottom + 38
}

function grouped(n,    text) {
	for (text = ""; n >= 1000; n = int(n / 1000)) text = sprintf(",%03d", n % 1000) text
	return n text
}

function line(b,    i, path, dots, last) {
	for (i = 1; i <= sizes; i++) {
		if (!((name[b], size[i]) in value)) continue
		path = path sprintf("%s%.1f %.1f", path == "" ? "M" : "L", x(size[i]), y(value[name[b], size[i]]))
		dots = dots sprintf("<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", b, x(size[i]), y(value[name[b], size[i]]))
		last = size[i]
	}
	if (last == "") return
	printf "<path class=\"line s%d\" d=\"%s\"/>%s\n", b, path, dots
	place[b] = y(value[name[b], last])
}

# Beside the lines' ends, from the top downwards, never one on another; then back up from the lower edge.
function labels(    b, i, order, n, limit, at) {
	for (b = 1; b <= names; b++) {
		if (!(b in place)) continue
		for (i = ++n; i > 1 && place[order[i - 1]] > place[b]; i--) order[i] = order[i - 1]
		order[i] = b
	}
	for (i = 1; i <= n; i++) at[i] = i > 1 && place[order[i]] < at[i - 1] + 15 ? at[i - 1] + 15 : place[order[i]]
	limit = bottom
	for (i = n; i >= 1; i--) {
		if (at[i] > limit) at[i] = limit
		limit = at[i] - 15
		printf "<text class=\"f%d\" x=\"%d\" y=\"%.1f\">%s %s</text>\n", order[i], right + 10, at[i] + 4, \
			title[order[i]], span(value[name[order[i]], many])
	}
}

function span(ns) {
	if (ns == "") return ""
	return ns < 1e3 ? sprintf("%.0f ns", ns) : ns < 1e6 ? sprintf("%.3g µs", ns / 1e3) : sprintf("%.3g ms", ns / 1e6)
}

function style(    b, light, dark) {
	split("#6b7280 #9a6700 #8250df #0a7d62 #0969da #bf3989 #bc4c00 #1a7f37", light, " ")
	split("#9198a1 #d29922 #ab7df8 #2bb596 #4493f8 #db61a2 #f0883e #56d364", dark, " ")
	print "<style>text{font:12px sans-serif;fill:#1f2328}.grid{stroke:#d1d9e0;stroke-width:.5}.line{fill:none;stroke-width:1.5}"
	for (b = 1; b <= names; b++) printf ".s%d{stroke:%s}.f%d{fill:%s}", b, light[b], b, light[b]
	printf ".s%d{stroke-width:3}.f%d{font-weight:bold}.t{font-size:14px;font-weight:bold}\n", names, names
	print "@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.grid{stroke:#3d444d}"
	for (b = 1; b <= names; b++) printf ".s%d{stroke:%s}.f%d{fill:%s}", b, dark[b], b, dark[b]
	print "}</style>"
}

END {
	floor = int(log10(low)); ceiling = int(log10(high)) + 1
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 740 420\" role=\"img\">"
	print "<title>Time of getpwnam over the number of users, a line a backend</title>"
	style()
	printf "<text class=\"t\" x=\"%d\" y=\"24\">getpwnam of a random user</text>\n", left
	axis()
	for (b = 1; b <= names; b++) line(b)
	labels()
	print "</svg>"
}
