-- SPDX-License-Identifier: ISC
-- Run on a store made by mixed.sql: more than 300 rows such as nobody wants. Each text of the first table is somebody's
-- username, somebody's email address, somebody's first and last name, somebody's id, and a role, which nasty-roles has
-- with all the others; the other tables are about one column each. A row's id says what is wrong with it:
-- 'username-colon', 'email-newline', 'state-null'. Who may log in all the same, since only email address, names or dates
-- are nasty, begins with fine-. Everybody's password is 'pw-ada', unless it is what is nasty.

PRAGMA ignore_check_constraints = ON;
PRAGMA foreign_keys = OFF;
BEGIN;

CREATE TEMP TABLE texts (label, value);
INSERT INTO texts VALUES
	('colon', 'a:b'),
	('colons', ':0:0:root:/root:/bin/sh'),
	('newline', 'new' || char(10) || 'line'),
	('passwd-line', 'x' || char(10) || 'evil::0:0::/root:/bin/sh' || char(10)),
	('carriage-return', 'over' || char(13) || 'written'),
	('tab', 'tab' || char(9) || 'bed'),
	('bell', 'ding' || char(7)),
	('backspaces', 'root' || char(8, 8, 8, 8) || 'nobody'),
	('delete', 'del' || char(127)),
	('nul', 'root' || char(0) || 'x'),
	('only-nul', char(0)),
	('nul-mona', 'mona' || char(0)),
	('escape-clear', char(27) || '[2J' || char(27) || '[H'),
	('escape-title', char(27) || ']0;owned' || char(7)),
	('escape-osc52', char(27) || ']52;c;cm0gLXJmIC8=' || char(7)),
	('escape-c1', 'c1' || char(155) || '31m'),
	('next-line', 'nel' || char(133) || 'x'),
	('line-separator', 'ls' || char(8232) || 'x'),
	('right-to-left', 'user' || char(8238) || 'toor'),
	('zero-width', 'mo' || char(8203) || 'na'),
	('soft-hyphen', 'mo' || char(173) || 'na'),
	('tag', 'mona' || char(917569)),
	('byte-order-mark', char(65279) || 'mona'),
	('noncharacter', char(65535) || 'x'),
	('umlaut', 'müller'),
	('fullwidth-root', 'ｒｏｏｔ'),
	('cyrillic', 'rооt'),
	('dotless', 'admın'),
	('combining', 'e' || char(769, 769, 769, 769, 769, 769, 769, 769)),
	('emoji', '😀👩‍👩‍👧‍👧'),
	('latin1', CAST(X'6dfc6c6c6572' AS TEXT)),
	('overlong-colon', CAST(X'61c0ba62' AS TEXT)),
	('overlong-slash', CAST(X'c0af' AS TEXT)),
	('surrogate', CAST(X'eda080' AS TEXT)),
	('half-character', CAST(X'61e282' AS TEXT)),
	('beyond-unicode', CAST(X'f4908080' AS TEXT)),
	('all-ones', CAST(X'ffffffff' AS TEXT)),
	('empty', ''),
	('space', ' '),
	('leading-space', ' mona'),
	('trailing-space', 'mona '),
	('inner-space', 'a b'),
	('comma', 'a,b'),
	('parent', '../../etc/passwd'),
	('slash', 'a/b'),
	('dot', '.'),
	('dots', '..'),
	('minus', '-rf'),
	('option', '--force'),
	('plus', '+'),
	('netgroup', '+@admins'),
	('exclamation', '!mona'),
	('star', '*'),
	('hash', '#0'),
	('percent-group', '%sudo'),
	('percent', '%s%n%s%n%1000000d'),
	('dollar', '$(touch /tmp/owned)'),
	('backquotes', '`touch /tmp/owned`'),
	('semicolon', '; touch /tmp/owned'),
	('pipe', '| touch /tmp/owned'),
	('quotes', '"mona''s"'),
	('backslash', 'EXAMPLE\mona'),
	('sql', '''; DROP TABLE users; --'),
	('json', '","state":"enabled","x":"'),
	('html', '<script>alert(1)</script>'),
	('crlf-header', 'x' || char(13, 10) || 'Bcc: all@example.org'),
	('zero', '0'),
	('digits', '12345'),
	('number', '4294967295'),
	('hexadecimal', '0x0'),
	('negative', '-1'),
	('at', 'a@b'),
	('prefix-login', 'login:mona'),
	('prefix-id', 'id:mona'),
	('null-word', 'NULL'),
	('root', 'root'),
	('root-case', 'ROOT'),
	('sudo', 'sudo'),
	('docker-case', 'Docker'),
	('nobody', 'nobody'),
	('nogroup', 'nogroup'),
	('hexabot', 'hexabot'),
	('lars', 'lars'),
	('group-private', 'hexabot.mona'),
	('group-role', 'hexabot-admin'),
	('case-mona', 'MONA'),
	('case-ada', 'aDa'),
	('33-characters', 'abcdefghijklmnopqrstuvwxyz0123456'),
	('300-characters', replace(hex(zeroblob(150)), '0', 'n')),
	('300-colons', replace(hex(zeroblob(150)), '0', ':')),
	('300-umlauts', replace(hex(zeroblob(150)), '0', 'ü')),
	('4096-escapes', replace(hex(zeroblob(2048)), '0', char(27))),
	('100-kilobytes', replace(hex(zeroblob(50000)), '0', 'k')),
	('100-kilobytes-of-bytes', CAST(replace(hex(zeroblob(50000)), '0', CAST(X'80' AS TEXT)) AS TEXT)),
	('blob', X'6d6f6e61'),
	('blob-text', X'726f6f74'),
	('blob-empty', X''),
	('blob-zeros', zeroblob(1000)),
	('integer', 7),
	('real', 1.5),
	('infinity', 9e999);

CREATE TEMP TABLE passwords (label, value);
INSERT INTO passwords VALUES
	('cost-31', '$2b$31$abcdefghijklmnopqrstuuyS0nBdGNdnpuJJ7Tw3kKzUbTFE8yq6S'),
	('cost-16', '$2b$16$abcdefghijklmnopqrstuuyS0nBdGNdnpuJJ7Tw3kKzUbTFE8yq6S'),
	('cost-99', '$2b$99$abcdefghijklmnopqrstuuyS0nBdGNdnpuJJ7Tw3kKzUbTFE8yq6S'),
	('cost-00', '$2b$00$abcdefghijklmnopqrstuuyS0nBdGNdnpuJJ7Tw3kKzUbTFE8yq6S'),
	('cost-word', '$2b$xx$abcdefghijklmnopqrstuuyS0nBdGNdnpuJJ7Tw3kKzUbTFE8yq6S'),
	('hello', '$2hello'),
	('sha512', '$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.'),
	('sha512-rounds', '$6$rounds=999999999$salt$x'),
	('yescrypt', '$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7'),
	('yescrypt-huge', '$y$jFT$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7'),
	('scrypt', '$7$CU..../....2Q9obwLhin8qvQl6sisAO/$E1HizYWxBmnIH4sdPkd1UOML9t62Gf.wvNTnt5XFzs8'),
	('des', 'ab4UvXTZpLlZ.'),
	('bcrypt-2', '$2$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe'),
	('bcrypt-2x', '$2x$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe'),
	('short', '$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfS'),
	('long', '$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSee'),
	('newline-after', '$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe' || char(10)),
	('nul-after', '$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe' || char(0)),
	('as-blob', CAST('$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe' AS BLOB)),
	('locked', '!$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe'),
	('marker-held', '$2!held.0000000000000000'),
	('marker-invited', '$2!invited.0000000000000000'),
	('marker-empty', '$2!invited.'),
	('plain', 'pw-ada'),
	('empty', ''),
	('null', NULL),
	('star', '*'),
	('bang', '!'),
	('100-kilobytes', hex(zeroblob(50000))),
	('100-kilobyte-hash', '$2b$10$' || hex(zeroblob(50000))),
	('half-megabyte-blob', zeroblob(500000)),
	('blob-empty', X''),
	('nul', char(0)),
	('number', 7),
	('seed-nobody-set', '$2b$12$2c.IMiK3/8mYweqruHpJj.tc/1i2CGZYhLeNKa0F288p2e1vDffAO');

-- Of state, type and the dates the id's part before the label says which.
CREATE TEMP TABLE states (label, value);
INSERT INTO states VALUES ('zero', 0), ('null', NULL), ('two', 2), ('minus-one', -1), ('huge', 9223372036854775807),
	('half', 0.5), ('one-and-a-bit', 1.0000001), ('infinity', 9e999), ('false', 'false'), ('true', 'true'), ('yes', 'yes'),
	('empty', ''), ('one-nul', '1' || char(0)), ('one-space', '1 x'), ('blob-one', X'01'), ('blob-digit', X'31'),
	('100-kilobytes', hex(zeroblob(50000)));

CREATE TEMP TABLE types (label, value);
INSERT INTO types VALUES ('visitor', 'SubscriberOrmEntity'), ('lower', 'userormentity'), ('space', 'UserOrmEntity '),
	('nul', 'UserOrmEntity' || char(0)), ('blob', CAST('UserOrmEntity' AS BLOB)), ('empty', ''), ('number', 1);

CREATE TEMP TABLE dates (label, value);
INSERT INTO dates VALUES ('null', NULL), ('empty', ''), ('words', 'yesterday'), ('number', 1700000000), ('blob', X'00'),
	('year-0', '0000-00-00 00:00:00.000'), ('year-9999', '9999-12-31 23:59:59.999'), ('escape', char(27) || '[31m'),
	('newline', '2026-01-01' || char(10)), ('100-kilobytes', hex(zeroblob(50000)));

CREATE TEMP TABLE actives (label, value);
INSERT INTO actives VALUES ('zero', 0), ('two', 2), ('true', 'true'), ('blob', X'01'), ('empty', ''), ('half', 0.5);

-- What everybody is made of: a username of letters, unless it is what is nasty, the manager's role, and state 1.
CREATE TEMP TABLE people (id, username, email, name, password, state, type, date);
INSERT INTO people
	SELECT 'username-' || label, value, 'u.' || label || '@example.org', 'U', ada.password, 1, ada.type, '2027-01-01 00:00:00.000'
		FROM texts, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'fine-email-' || label, 'e' || texts.rowid, value, 'E', ada.password, 1, ada.type, '2027-01-01 00:00:00.000'
		FROM texts, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'fine-name-' || label, 'n' || texts.rowid, 'n.' || label || '@example.org', value, ada.password, 1, ada.type, '2027-01-01 00:00:00.000'
		FROM texts, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT value, 'i' || texts.rowid, 'i.' || label || '@example.org', 'I', ada.password, 1, ada.type, '2027-01-01 00:00:00.000'
		FROM texts, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'password-' || label, 'p' || passwords.rowid, 'p.' || label || '@example.org', 'P', value, 1, ada.type, '2027-01-01 00:00:00.000'
		FROM passwords, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'state-' || label, 's' || states.rowid, 's.' || label || '@example.org', 'S', ada.password, value, ada.type, '2027-01-01 00:00:00.000'
		FROM states, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'type-' || label, 't' || types.rowid, 't.' || label || '@example.org', 'T', ada.password, 1, value, '2027-01-01 00:00:00.000'
		FROM types, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'fine-date-' || label, 'd' || dates.rowid, 'd.' || label || '@example.org', 'D', ada.password, 1, ada.type, value
		FROM dates, users ada WHERE ada.username = 'ada'
	UNION ALL SELECT 'roles-nasty', 'nastyroles', 'nastyroles@example.org', 'R', ada.password, 1, ada.type, '2027-01-01 00:00:00.000'
		FROM users ada WHERE ada.username = 'ada';

-- Some are taken by now: a number's text, an id. Who comes too late is left out.
INSERT OR IGNORE INTO users (id, username, email, firstName, lastName, password, state, type, created_at, updated_at,
	provider, source_id)
	SELECT id, username, email, name, name, password, state, type, date, date, '{"strategy":"local"}', 'c129017d'
	FROM people;

INSERT INTO user_roles SELECT p.id, roles.id FROM people p, roles
	WHERE roles.name = 'manager' AND EXISTS (SELECT 1 FROM users WHERE users.id = p.id);

INSERT OR IGNORE INTO roles (id, created_at, updated_at, name, active)
	SELECT 'role-' || label, created_at, updated_at, value, 1 FROM texts, users WHERE username = 'ada'
	UNION ALL SELECT value, created_at, updated_at, 'id ' || label, 1 FROM texts, users WHERE username = 'ada'
	UNION ALL SELECT 'active-' || label, created_at, updated_at, 'active' || actives.rowid, value
		FROM actives, users WHERE username = 'ada';
INSERT OR IGNORE INTO user_roles SELECT 'roles-nasty', id FROM roles WHERE name NOT IN ('admin', 'manager', 'operators');

-- Orphans: of a user, of a role, of both; ids of every kind, and visitors who are managers.
INSERT OR IGNORE INTO user_roles
	SELECT 'nobody ' || label, roles.id FROM texts, roles WHERE name = 'admin'
	UNION ALL SELECT value, value FROM texts
	UNION ALL SELECT users.id, value FROM texts, users WHERE username = 'pia'
	UNION ALL SELECT users.id, roles.id FROM users, roles WHERE type = 'SubscriberOrmEntity' AND name = 'admin';

COMMIT;
SELECT (SELECT count(*) FROM users) || ' users, ' || (SELECT count(*) FROM roles) || ' roles, ' ||
	(SELECT count(*) FROM user_roles) || ' memberships';
