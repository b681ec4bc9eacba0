select week, head_hash, model, html_sha256, docx_sha256 from bulletin where week = :week;
