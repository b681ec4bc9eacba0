insert into notice (notice_key, mail_kind, business_on, department, recipient, subject, message_id, content,
                    content_sha256, head_hash, state, detail)
values (:notice_key, :mail_kind, :business_on, :department, :recipient, :subject, :message_id, :content,
        :content_sha256, :head_hash, :state, :detail);
