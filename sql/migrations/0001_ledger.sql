-- The ledger: landing, messages as versions, quarantine, reference data, cards with evidence, outbox, bulletins.
-- Columns that hold the wall clock, a surrogate or the evidence chain are left out of digests by the list in sql/queries/ledger/digest_ledger.sql.

create table landed_page (
    page_id      bigint generated always as identity primary key,
    source       text not null,
    business_on  date not null,
    stream       text not null,
    page_no      int  not null,
    sha256       char(64) not null,
    path         text not null,
    byte_count   bigint not null,
    media_type   text not null,
    meta         jsonb not null,
    landed_at    timestamptz not null default now(),
    known_at     timestamptz,
    known_basis  text check (known_basis in ('night', 'reconstructed')),
    admitted_at  timestamptz,
    rows_total       int,
    rows_accepted    int,
    rows_repeated    int,
    rows_quarantined int,
    is_set_aside boolean not null default false,
    unique (source, business_on, stream, sha256),
    check (admitted_at is null or rows_total = rows_accepted + rows_repeated + rows_quarantined),
    check (admitted_at is null or not is_set_aside)
);
create index on landed_page (source) where admitted_at is null;

-- A person gave up pages nobody could admit.
create table page_set_aside (
    page_id      bigint references landed_page,
    set_aside_at timestamptz not null default now(),
    actor        text not null check (actor ~ '\S'),
    reason       text not null check (reason ~ '\S'),
    primary key (page_id, set_aside_at)
);

create table watermark (
    source       text not null,
    stream       text not null,
    covers_until timestamptz not null,
    first_on     date not null,
    primary key (source, stream)
);

-- One verdict per source and night: may absence be believed?
create table feed (
    source        text not null,
    business_on   date not null,
    state         text not null check (state in ('pulled', 'complete', 'partial', 'late', 'failed', 'stale', 'low', 'silent')),
    known_basis   text not null check (known_basis in ('night', 'reconstructed')),
    declared_rows bigint,
    landed_rows   bigint not null default 0,
    accepted_rows bigint not null default 0,
    repeated_rows bigint not null default 0,
    quarantined_rows bigint not null default 0,
    unexplained_rows bigint generated always as
        (greatest(coalesce(declared_rows, landed_rows), landed_rows) - accepted_rows - repeated_rows - quarantined_rows) stored,
    detail        text not null default '',
    updated_at    timestamptz not null default now(),
    primary key (source, business_on)
);

-- A source's person says that what it brings from a night on is all there is.
create table feed_confirmation (
    source       text not null,
    business_on  date not null,
    actor        text not null check (actor ~ '\S'),
    reason       text not null check (reason ~ '\S'),
    confirmed_at timestamptz not null default now(),
    primary key (source, business_on)
);

create table message (
    message_id   bigint generated always as identity unique,
    source       text not null,
    case_no      text not null,
    kind         text not null,
    seq          int  not null check (seq >= 0),
    version      int  not null check (version >= 1),
    occurred_at  timestamptz not null,
    written_at   timestamptz,
    received_at  timestamptz,
    loaded_at    timestamptz not null,
    known_at     timestamptz not null,
    known_basis  text not null check (known_basis in ('night', 'reconstructed')),
    department   text,
    region       text,
    item_code    text,
    item_name    text,
    payload      jsonb not null,
    content_sha256 char(64) not null,
    page_id      bigint references landed_page,
    inserted_at  timestamptz not null default now(),
    primary key (source, case_no, kind, seq, version)
);
create index on message (known_at, source);
create index on message (case_no);
-- Which records were revised, without looking at the others.
create index on message (source, case_no, kind, seq, version, known_at) where version > 1;

create table quarantine (
    quarantine_id bigint generated always as identity unique,
    source       text not null,
    stream       text not null,
    row_sha256   char(64) not null,
    reason       text not null,
    detail       text not null,
    business_on  date not null,
    page_id      bigint not null references landed_page,
    row_no       int not null,
    case_no      text,
    kinds        text[] not null default '{}',
    state        text not null default 'open' check (state in ('open', 'replayed', 'dismissed')),
    settled_at   timestamptz,
    noted_at     timestamptz not null default now(),
    primary key (source, stream, row_sha256, reason),
    check ((state = 'open') = (settled_at is null))
);

-- What the expectations said, per night, source and rule.
create table quality_result (
    source       text not null,
    business_on  date not null,
    suite        text not null,
    rule         text not null,
    title        text not null,
    basis        text not null,
    severity     text not null check (severity in ('critical', 'error', 'warning')),
    checked_rows bigint not null,
    failed_rows  bigint not null,
    samples      text[] not null,
    primary key (source, business_on, suite, rule)
);
-- How many messages of each kind became known with a night, and how many are usual.
create table quality_volume (
    source       text not null,
    business_on  date not null,
    kind         text not null,
    row_count    bigint not null,
    usual_count  double precision,
    primary key (source, business_on, kind)
);

-- Reference data: validity is start-only, the next row ends it.
create table department (
    code text not null, name text not null, region text not null, valid_from date not null,
    primary key (code, valid_from)
);
create table item (
    item_code text not null, name text not null, department text not null,
    promised_limit numeric, statutory_limit numeric, limit_unit text, limit_text text,
    status text not null default 'in_force' check (status in ('in_force', 'cancelled', 'delegated')),
    fee_standard numeric check (fee_standard >= 0), valid_from date not null,
    primary key (item_code, valid_from)
);
create table recipient (
    recipient_id text not null, name text not null, email text not null,
    role text not null check (role in ('department', 'supervision', 'operations')),
    department text, is_active boolean not null default true, valid_from date not null,
    primary key (recipient_id, valid_from),
    check ((role = 'department') = (department is not null))
);
create table calendar_day (
    calendar text not null, on_date date not null, kind text not null check (kind in ('holiday', 'makeup', 'workday')),
    name text not null, notice text not null, known_from date not null,
    primary key (calendar, on_date, known_from)
);
create table office_hours (
    region text not null, valid_from date not null, valid_until date, season_from text not null default '01-01',
    spans text not null, known_from date not null,
    primary key (region, valid_from, season_from, known_from)
);

create table night (
    business_on  date primary key,
    fingerprint  text not null,
    judged_at    timestamptz not null default now(),
    cases        bigint not null,
    traced_fingerprint text,
    cutoff_at    timestamptz
);

-- Card events are only ever appended. seq / prev_hash / hash are the evidence chain.
create table card_event (
    seq          bigint primary key,
    prev_hash    char(64) not null,
    hash         char(64) not null unique,
    source       text not null,
    case_no      text not null,
    clock        text not null,
    clock_key    text not null,
    level        text not null check (level in ('reminder', 'yellow', 'red')),
    business_on  date not null,
    event        text not null check (event in ('issued', 'withdrawn', 'reinstated', 'revised', 'void')),
    revision     int not null,
    voids_seq    bigint references card_event,
    nature       text not null check (nature in ('conduct', 'push_delay', 'suspect', 'calendar', 'rule')),
    standing     boolean not null,
    provisional  boolean not null,
    is_baseline  boolean not null,
    is_manual    boolean not null,
    reached_at   timestamptz not null,
    due_at       timestamptz,
    used_days    numeric(12, 6) not null,
    limit_days   numeric(12, 6) not null,
    excluded_days numeric(12, 6) not null,
    base         text not null,
    responsible_hop text,
    department   text,
    region       text,
    item_code    text,
    item_name    text,
    evidence     text[] not null,
    profile_version  text not null,
    calendar_version text not null,
    known_at     timestamptz not null,
    appended_at  timestamptz not null default now(),
    unique (source, case_no, clock, clock_key, level, business_on, event, revision),
    check ((event = 'void') = (voids_seq is not null))
);
create index on card_event (business_on);

-- What people decided about cards: links of the same chain (seq, prev_hash, hash go on where card_event left off).
create table card_decision (
    seq          bigint primary key,
    prev_hash    char(64) not null,
    hash         char(64) not null unique,
    source       text not null,
    case_no      text not null,
    clock        text not null,
    clock_key    text not null,
    level        text not null check (level in ('reminder', 'yellow', 'red')),
    decision     text not null check (decision in ('issue', 'appeal', 'uphold', 'revoke', 'escalate', 'close')),
    business_on  date not null,
    decided_at   timestamptz not null,
    actor        text not null check (actor ~ '\S'),
    reason       text not null check (reason ~ '\S'),
    evidence     text[] not null,
    appended_at  timestamptz not null default now(),
    unique (source, case_no, clock, clock_key, level, decision, decided_at)
);
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, tg_op;
end $$;
create trigger append_only before update or delete or truncate on card_event
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on card_decision
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on message
    for each statement execute function refuse_change();

create table push_finding (
    source text not null, case_no text not null, kind text not null, seq int not null, version int not null,
    hop text not null,
    class text not null
        check (class in ('late', 'keyed_twice', 'resent', 'out_of_order', 'batch', 'back_dated')),
    business_on date not null, department text not null,
    set_out_at timestamptz not null, due_at timestamptz, reached_at timestamptz not null,
    lag_seconds bigint, lag_working_days numeric(12, 6),
    level text check (level in ('warn', 'yellow', 'red')),
    standstill_from timestamptz, standstill_until timestamptz,
    primary key (source, case_no, kind, seq, version, hop, class),
    check ((standstill_from is null) = (standstill_until is null))
);
create index on push_finding (business_on);
-- What the rules other than time found: night N's rows are find(N) - find(N-1), by case; an item's finding is put
-- together from its cases by v_finding.
create table finding_rule (
    rule text primary key, title text not null, basis text not null,
    about text not null check (about in ('case', 'item', 'data'))
);
create table finding_event (
    rule         text not null references finding_rule,
    record       text not null,
    detail       text not null,
    business_on  date not null,
    event        text not null check (event in ('opened', 'cleared')),
    source       text not null,
    case_no      text not null,
    item_code    text,
    item_name    text,
    department   text,
    occurred_at  timestamptz not null,
    evidence     text not null,
    is_baseline  boolean not null,
    primary key (rule, record, detail, business_on)
);
create index on finding_event (business_on);
create table link_lag (
    business_on date not null, source text not null, hop text not null, department text not null, kind text not null,
    message_count bigint not null, late_count bigint not null, negative_count bigint not null,
    p50_seconds bigint, p95_seconds bigint, max_seconds bigint,
    p50_working_days numeric(12, 6), p95_working_days numeric(12, 6), max_working_days numeric(12, 6),
    primary key (business_on, source, hop, department, kind)
);
create table silence (
    business_on date not null, source text not null,
    last_on date not null, first_on date not null, working_days bigint not null,
    primary key (business_on, source)
);

-- Reconciliation. Night N's events of a pair of sources are differ(N) - differ(N-1), both by what was known, and only of
-- nights on which both were complete; from when on a difference counts is said by its due_at.
create table reconciled_night (
    upstream text not null, downstream text not null, business_on date not null,
    fingerprint text not null, compared_on date, cutoff_at timestamptz not null,
    primary key (upstream, downstream, business_on)
);
create table difference_event (
    upstream     text not null,
    downstream   text not null,
    case_no      text not null,
    kind         text not null,
    seq          int  not null,
    class        text not null check (class in ('missing', 'extra', 'wrong')),
    business_on  date not null,
    event        text not null check (event in ('opened', 'cleared')),
    hop          text not null,
    due_at       timestamptz not null,
    fields       text[] not null,
    upstream_version   int,
    downstream_version int,
    primary key (upstream, downstream, case_no, kind, seq, class, business_on)
);
-- Cases a source no longer lists: absent from one full listing, deleted at the next that lacks it on another night, and
-- returned when it is listed again. A deletion is the source's: what it once told stays in message.
create table case_listing (
    source text not null, business_on date not null, listed_cases bigint not null,
    primary key (source, business_on)
);
create table case_absence (
    source text not null, case_no text not null, business_on date not null,
    event text not null check (event in ('absent', 'deleted', 'returned')),
    primary key (source, case_no, business_on),
    foreign key (source, business_on) references case_listing
);
create trigger append_only before update or delete or truncate on case_absence
    for each statement execute function refuse_change();

-- How a source's records queued before they arrived, as one night's arrivals show it.
create table queue_shape (
    business_on date not null, source text not null, hop text not null,
    class text not null check (class in ('one_per_tick', 'finished_only', 'starved', 'blocked_head', 'backfill')),
    record_count bigint not null, began_at timestamptz not null, ended_at timestamptz not null,
    detail text not null, evidence text[] not null,
    primary key (business_on, source, class)
);

-- Outbox. An item is a business event to tell; a notice is one frozen mail that claims items.
create table notice (
    notice_key   text primary key,
    mail_kind    text not null check (mail_kind in ('A', 'B', 'C', 'D', 'E', 'F')),
    business_on  date not null,
    department   text,
    recipient    text not null,
    subject      text not null,
    message_id   text not null unique,
    content      bytea not null,
    content_sha256 char(64) not null,
    head_hash    char(64) not null,
    state        text not null check (state in ('ready', 'dot', 'sent', 'held', 'refused')),
    attempts     int not null default 0,
    detail       text not null default '',
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create table notice_item (
    item_key     text primary key,
    mail_kind    text not null check (mail_kind in ('A', 'B', 'C', 'D', 'E', 'F')),
    business_on  date not null,
    department   text,
    card_event_seq bigint references card_event,
    decision_seq bigint references card_decision,
    payload      jsonb not null default '{}',
    is_muted     boolean not null,
    created_at   timestamptz not null default now()
);
create index on notice_item (card_event_seq);
-- An item is told to a recipient once, whichever night's mail it is in.
create table notice_claim (
    item_key     text not null references notice_item,
    recipient_id text not null,
    notice_key   text not null references notice,
    primary key (item_key, recipient_id)
);

create table bulletin (
    week         text primary key,
    data_until   timestamptz not null,
    head_hash    char(64) not null,
    model        jsonb not null,
    html_sha256  char(64) not null,
    docx_sha256  char(64) not null,
    issued_at    timestamptz not null default now()
);

create function level_rank(level text) returns int language sql immutable as
$$ select array_position(array['reminder', 'yellow', 'red'], level) $$;
