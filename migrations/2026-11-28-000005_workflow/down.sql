DROP TABLE issue_shares, discard_hashes, discards, issue_moves, merged_issues, bookmarks;

DELETE FROM notifications WHERE kind = 9;
ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check CHECK (kind BETWEEN 1 AND 8);
DELETE FROM account_mails WHERE kind NOT IN ('invitation', 'password_reset');
ALTER TABLE account_mails
    DROP CONSTRAINT account_mails_kind_check,
    ADD CONSTRAINT account_mails_kind_check CHECK (kind IN ('invitation', 'password_reset'));
DELETE FROM issue_activity WHERE kind NOT IN ('status', 'priority', 'assigned', 'regressed', 'comment');
ALTER TABLE issue_activity
    DROP COLUMN actor_kind,
    DROP COLUMN actor_id,
    DROP CONSTRAINT issue_activity_kind_check,
    ADD CONSTRAINT issue_activity_kind_check
        CHECK (kind IN ('status', 'priority', 'assigned', 'regressed', 'comment'));

DROP TRIGGER users_assignee ON users;
DROP TRIGGER teams_assignee ON teams;
DROP FUNCTION bugle_rename_assignee;
ALTER TABLE issues
    DROP CONSTRAINT assigned_to_one,
    DROP COLUMN ignore_until,
    DROP COLUMN assigned_user_id,
    DROP COLUMN assigned_team_id,
    DROP COLUMN splits;
