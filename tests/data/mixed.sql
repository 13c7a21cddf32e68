-- SPDX-License-Identifier: ISC
-- A Hexabot 3.5 store: its three tables, five roles (one inactive), thirteen operators and four chat visitors.
-- Passwords are 'pw-' and the username; that of admin is Hexabot's seed, 'adminadmin'.

BEGIN;
CREATE TABLE "users" (
	"id" varchar PRIMARY KEY NOT NULL, "created_at" datetime, "updated_at" datetime,
	"firstName" varchar NOT NULL, "lastName" varchar NOT NULL,
	"language" varchar(2) NOT NULL DEFAULT ('en'), "timezone" integer NOT NULL DEFAULT (0),
	"type" varchar CHECK( "type" IN ('SubscriberOrmEntity','UserOrmEntity') ) NOT NULL,
	"locale" varchar(5), "gender" varchar(21), "country" varchar(56), "foreignId" varchar(64),
	"assignedAt" datetime, "lastvisit" datetime, "retainedFrom" datetime, "username" varchar,
	"email" varchar, "password" varchar, "send_email" boolean DEFAULT (0), "state" boolean DEFAULT (1),
	"reset_count" integer DEFAULT (0), "reset_token" text, "provider" text, "avatar_id" varchar,
	"source_id" varchar, "assigned_to_id" varchar, "channelName" varchar, "channelData" text,
	CONSTRAINT "CHK_SUBSCRIBER_SOURCE_REQUIRED" CHECK ("type" != 'SubscriberOrmEntity' OR "source_id" IS NOT NULL),
	CONSTRAINT "FK_c3401836efedec3bec459c8f818" FOREIGN KEY ("avatar_id") REFERENCES "attachments" ("id") ON DELETE SET NULL ON UPDATE NO ACTION,
	CONSTRAINT "FK_6b129e2863f0568bf8592bb3b0b" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON DELETE CASCADE ON UPDATE NO ACTION,
	CONSTRAINT "FK_73052ccd3b2050c5b89c0a63f20" FOREIGN KEY ("assigned_to_id") REFERENCES "users" ("id") ON DELETE SET NULL ON UPDATE NO ACTION
);
CREATE INDEX "IDX_af99afb7cf88ce20aff6977e68" ON "users" ("lastName");
CREATE INDEX "IDX_5372672fbfd1677205e0ce3ece" ON "users" ("firstName");
CREATE INDEX "IDX_fa4680f63dc126640f675afc5b" ON "users" ("source_id", "foreignId");
CREATE UNIQUE INDEX "IDX_97672ac88f789774dd47f7c8be" ON "users" ("email");
CREATE UNIQUE INDEX "IDX_fe0bb3f6520ee0469504521e71" ON "users" ("username");
CREATE INDEX "IDX_94e2000b5f7ee1f9c491f0f8a8" ON "users" ("type");
CREATE TABLE "roles" ("id" varchar PRIMARY KEY NOT NULL, "created_at" datetime, "updated_at" datetime, "name" varchar NOT NULL, "active" boolean NOT NULL DEFAULT (1));
CREATE UNIQUE INDEX "IDX_648e3f5447f725579d7d4ffdfb" ON "roles" ("name");
CREATE TABLE "user_roles" ("user_id" varchar NOT NULL, "role_id" varchar NOT NULL, CONSTRAINT "FK_87b8888186ca9769c960e926870" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE CASCADE, CONSTRAINT "FK_b23c65e50a758245a33ee35fda1" FOREIGN KEY ("role_id") REFERENCES "roles" ("id") ON DELETE NO ACTION ON UPDATE NO ACTION, PRIMARY KEY ("user_id", "role_id"));
CREATE INDEX "IDX_87b8888186ca9769c960e92687" ON "user_roles" ("user_id");
CREATE INDEX "IDX_b23c65e50a758245a33ee35fda" ON "user_roles" ("role_id");

INSERT INTO roles (id, created_at, updated_at, name, active) VALUES
	('f38b2ffc-80a4-4f5a-91c9-bc701e7ea419', '2026-11-23 17:27:29.753', '2026-11-23 17:27:29.753', 'admin', 1),
	('f3f49249-dc28-4f90-a5ae-c7978306d03b', '2026-11-23 17:28:29.753', '2026-11-23 17:28:29.753', 'manager', 1),
	('e5121482-3929-4d22-a255-accb1a466884', '2026-11-23 17:29:29.753', '2026-11-23 17:29:29.753', 'public', 1),
	('6bad6be2-8e7a-46e9-9f19-950499dd251d', '2026-11-23 17:30:29.753', '2026-11-23 17:30:29.753', 'operators', 1),
	('d7a7a3cc-8c3d-4f16-9293-de8fc88b2875', '2026-11-23 17:31:29.753', '2026-11-23 17:31:29.753', 'retired', 0);

INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, email, state, password) VALUES
	('7dabe929-c4a3-44bf-86cd-75e9bb049a79', '2026-11-23 17:40:27.319', '2026-11-23 17:40:27.319', 'admin', 'admin', 'UserOrmEntity', '{"strategy":"local"}',
	 'admin', 'admin@admin.admin', 1, '$2b$12$2c.IMiK3/8mYweqruHpJj.tc/1i2CGZYhLeNKa0F288p2e1vDffAO'),
	('e060a724-2411-4258-b51b-4c8349a047dc', '2026-11-23 17:41:27.319', '2026-11-23 17:41:27.319', 'Mona', 'Lind', 'UserOrmEntity', '{"strategy":"local"}',
	 'mona', 'mona@example.org', 1, '$2b$12$lBts50Jx9M08wfz7BaOEL.b4/vJse5pfyJy20rUt.VqqPc0DS8tQu'),
	('78549014-6ded-486a-9f4f-b02bb7a1774f', '2026-11-23 17:42:27.319', '2026-11-23 17:42:27.319', 'Max', 'Ober', 'UserOrmEntity', '{"strategy":"local"}',
	 'max', 'max@example.org', 0, '$2b$12$Q7bN46exl7x1Xjg/CR48s.96Lq2fy8I/ctEJyKv1w6uzJ3UGpI3qy'),
	('b1515fff-4296-4a50-b328-8e16ebe80fa9', '2026-11-23 17:43:27.319', '2026-11-23 17:43:27.319', 'Pia', 'Nord', 'UserOrmEntity', '{"strategy":"local"}',
	 'pia', 'pia@example.org', 1, '$2b$12$8591Cjm4K2f3V07Gg9tKW.pikFzDc/C.ynmZA0fmGMXYhDu997Cgu'),
	('2577c324-694b-4ad6-9b4c-9492bf5f85e2', '2026-11-23 17:44:27.319', '2026-11-23 17:44:27.319', 'Paul', 'Vega', 'UserOrmEntity', '{"strategy":"local"}',
	 'paul', 'paul@example.org', 0, '$2b$10$3/J.3IXdNDgrR.m8Pa6Oj.7jJFC.OgBpy5C7C4Snp9VfOg5KTFCSS'),
	('28fdb92d-ab26-4981-aaf3-8f6c159d6a38', '2026-11-23 17:45:27.319', '2026-11-23 17:45:27.319', 'Ada', 'Byron', 'UserOrmEntity', '{"strategy":"local"}',
	 'ada', 'ada@example.org', 1, '$2b$10$PlyvRXu/LvHEqrBB6nk3n..7hVoZ5.dniZOYLAueYMkY3F9n0dfSe'),
	('f2e36355-7f60-49fa-9f12-4a78e9f91484', '2026-11-23 17:46:27.319', '2026-11-23 17:46:27.319', 'Alan', 'Moore', 'UserOrmEntity', '{"strategy":"local"}',
	 'alan', 'alan@example.org', 0, '$2b$10$5TRY1p4bGxCXUDE3W7AOZ.eFqo4gGn3dZ1eq4p26yUbsiFwmODEyK'),
	('e50588a5-8450-44a1-a1f6-6c3ac9108f89', '2026-11-23 17:47:27.319', '2026-11-23 17:47:27.319', 'Nora', 'Less', 'UserOrmEntity', '{"strategy":"local"}',
	 'norole', 'norole@example.org', 1, '$2b$10$PSVvg0zIvlVqUf59zi5Un.lksbdA/rlP3cYoA66b3mod534JsP0JK'),
	('1ebf3deb-71d0-4f51-bb67-cfa684f32551', '2026-11-23 17:48:27.319', '2026-11-23 17:48:27.319', 'Zoe', 'Ops', 'UserOrmEntity', '{"strategy":"local"}',
	 'zoe', 'zoe@example.org', 1, '$2b$10$hKZb.J4oyVBrSrZMhZjgO.6aNQ5J3cwuJPFNFrCFnRvwIZ2Z3uN5q'),
	('18afaf54-4382-4d47-8813-063719f900d3', '2026-11-23 17:49:27.319', '2026-11-23 17:49:27.319', 'Émile', 'Dürr', 'UserOrmEntity', '{"strategy":"local"}',
	 'Emile.D', 'Emile.Durr@Example.org', 1, '$2b$10$1TLFrVLmhGjmSfeG/yez/.SU2TLQiwRkytlSFHTz0u8dQEr.EnO7.'),
	('05e1ddfb-3c37-4b01-98b0-f10e0eabf949', '2026-11-23 17:50:27.319', '2026-11-23 17:50:27.319', 'Odd', 'Name', 'UserOrmEntity', '{"strategy":"local"}',
	 'odd user', 'odd.user@example.org', 1, '$2b$10$lNKqm4CxmZ50NtevjrF1B.yQu5F4ONq3/KjttGuUVXtKvMP303zjO'),
	('4a205268-549e-4c0a-b1ff-38d8480bdb8b', '2026-11-23 17:51:27.319', '2026-11-23 17:51:27.319', 'Rita', 'Old', 'UserOrmEntity', '{"strategy":"local"}',
	 'rita', 'rita@example.org', 1, '$2b$10$NkzmApXFMSNNCOrkB0Orz.MBebsWl3SUIKZVjJm.ATIwkNF/MFpq.'),
	('c6cf381a-3d43-481c-a08f-02b16254c3f0', '2026-11-23 17:52:27.319', '2026-11-23 17:52:27.319', 'Penny', 'Ding', 'UserOrmEntity', '{"strategy":"local"}',
	 'pending', 'pending@example.org', 0, '$2b$10$zaOVBweQbAAh7zfmPJUCf.U4H2n00DPmQYThsEuKmZ7Vsa70bw07W');

-- Chat visitors choose their names themselves.
INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, state, foreignId, source_id, channelName, username) VALUES
	('a86a04d1-0e66-46be-9147-8b93be3b496e', '2026-11-23 17:53:42.233', '2026-11-23 17:53:42.233', 'Sub', 'One', 'SubscriberOrmEntity', 1, 'fa66a3e9-a0bb-4fcd-82eb-b8d8d734fc4a', 'c129017d-853c-4409-a20c-b7ac5738f7c7', 'web', NULL),
	('f85e9bea-0eec-4bf9-b875-a42b3e289120', '2026-11-23 17:54:42.233', '2026-11-23 17:54:42.233', 'Sub', 'Two', 'SubscriberOrmEntity', 1, 'dcb30d7d-8234-4fdd-addc-540138ca6b4a', 'c129017d-853c-4409-a20c-b7ac5738f7c7', 'web', 'visitor'),
	('e7f29366-bec4-431c-ad5e-eb81269de5d1', '2026-11-23 17:55:42.233', '2026-11-23 17:55:42.233', 'Anon.', 'Web User', 'SubscriberOrmEntity', 1, 'f9e65abf-b50f-4e6c-a629-bc24df2986b2', 'c129017d-853c-4409-a20c-b7ac5738f7c7', 'web', NULL),
	('3b85f43e-ca48-4b40-b374-bac65c2472e5', '2026-11-23 17:56:42.233', '2026-11-23 17:56:42.233', 'admin', 'Fake', 'SubscriberOrmEntity', 1, '57fbeeeb-4698-45d2-943c-c5318fc460a1', 'c129017d-853c-4409-a20c-b7ac5738f7c7', 'web', NULL);

INSERT INTO user_roles (user_id, role_id)
	SELECT users.id, roles.id FROM users, roles WHERE (username, name) IN (VALUES
		('Emile.D', 'manager'),
		('Emile.D', 'public'),
		('ada', 'admin'),
		('ada', 'manager'),
		('admin', 'admin'),
		('alan', 'admin'),
		('max', 'manager'),
		('mona', 'manager'),
		('odd user', 'manager'),
		('paul', 'public'),
		('pending', 'manager'),
		('pia', 'public'),
		('rita', 'retired'),
		('zoe', 'operators'));
COMMIT;
