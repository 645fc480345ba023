DELETE FROM account_mails WHERE kind = 'schedule';
DROP TABLE gap_warnings;
DROP TABLE handoff_notices;
DROP TABLE handoff_settings;
ALTER TABLE schedule_overrides DROP COLUMN imported;
DROP TABLE shift_swaps;
