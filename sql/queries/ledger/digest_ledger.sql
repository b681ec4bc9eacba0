-- Canonical dump of everything the ledger says. Left out, by this list alone: wall clocks, surrogates, the evidence
-- chain (it follows the order of appending) and what is printed from it, and traces of attempts (a night pulled twice
-- counts its rows twice; what became of them is in message and quarantine). Six tables are left out altogether:
-- landed_page and page_set_aside (how the bytes arrived: pages and attempts), alembic_version (the schema, not what it
-- holds), quality_volume (counted from message), case_listing and case_absence (what a source held at the moment it was
-- asked, which only the run of its newest night does). So are the results of suite drift, which say in which night's run
-- a change was seen on a page, and of suite volume, which compare a night with those run before it.
with excluded (tbl, columns) as (
    values
        ('message', array['message_id', 'page_id', 'inserted_at']),
        ('quarantine', array['quarantine_id', 'page_id', 'row_no', 'noted_at']),
        ('feed', array['updated_at', 'detail', 'declared_rows', 'landed_rows', 'repeated_rows', 'quarantined_rows',
                       'unexplained_rows']),
        ('feed_confirmation', array['confirmed_at']),
        ('quality_result', array['checked_rows', 'failed_rows', 'samples']),
        ('night', array['judged_at']),
        ('card_event', array['seq', 'prev_hash', 'hash', 'appended_at', 'voids_seq', 'revision']),
        ('card_decision', array['seq', 'prev_hash', 'hash', 'appended_at']),
        ('notice', array['content', 'content_sha256', 'head_hash', 'attempts', 'detail', 'created_at', 'updated_at']),
        ('notice_item', array['card_event_seq', 'decision_seq', 'created_at']),
        ('bulletin', array['head_hash', 'html_sha256', 'docx_sha256', 'issued_at'])
),
documents as (
    select 'message' as tbl, to_jsonb(t) as doc from message t
    union all select 'watermark', to_jsonb(t) from watermark t
    union all select 'quarantine', to_jsonb(t) from quarantine t
    union all select 'feed', to_jsonb(t) from feed t
    union all select 'feed_confirmation', to_jsonb(t) from feed_confirmation t
    union all select 'quality_result', to_jsonb(t) from quality_result t where suite not in ('drift', 'volume')
    union all select 'department', to_jsonb(t) from department t
    union all select 'item', to_jsonb(t) from item t
    union all select 'recipient', to_jsonb(t) from recipient t
    union all select 'calendar_day', to_jsonb(t) from calendar_day t
    union all select 'office_hours', to_jsonb(t) from office_hours t
    union all select 'night', to_jsonb(t) from night t
    union all select 'card_event', to_jsonb(t) from v_card_event t
    union all select 'card_decision', to_jsonb(t) from card_decision t
    union all select 'push_finding', to_jsonb(t) from push_finding t
    union all select 'finding_rule', to_jsonb(t) from finding_rule t
    union all select 'finding_event', to_jsonb(t) from finding_event t
    union all select 'link_lag', to_jsonb(t) from link_lag t
    union all select 'silence', to_jsonb(t) from silence t
    union all select 'reconciled_night', to_jsonb(t) from reconciled_night t
    union all select 'difference_event', to_jsonb(t) from difference_event t
    union all select 'queue_shape', to_jsonb(t) from queue_shape t
    union all select 'notice', to_jsonb(t) from notice t
    union all select 'notice_item', to_jsonb(t) from notice_item t
    union all select 'notice_claim', to_jsonb(t) from notice_claim t
    union all select 'bulletin', to_jsonb(t) from bulletin t
)
select tbl || ' ' || (doc - coalesce(columns, '{}'))::text collate "C" as line
from documents
left join excluded using (tbl)
order by 1
