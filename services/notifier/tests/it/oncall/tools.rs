//! What tools, people and silences bring to a scene.

use super::scene::{Scene, Somebody};
use bugle_model::{
    Alert, AlertSourceKind, Clock, EscalationPolicyId, IncidentId, MatchOperator, Priority, SilenceMatchers,
};
use bugle_model::{LabelMatcher, SilenceId};
use bugle_store::StoreError;
use bugle_store::oncall::{self, AlertSource, Fired, NewAlertSource, NewIncident, NewSilence};
use chrono::TimeDelta;

/// An alert with this key, whose title it is too.
pub fn alert(key: &str) -> Alert {
    Alert { key: key.to_owned(), title: key.to_owned(), ..Alert::default() }
}

pub fn labelled(key: &str, labels: &[(&str, &str)]) -> Alert {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Alert { labels: labels.collect(), ..alert(key) }
}

/// Of alerts whose label is this.
pub fn label(name: &str, value: &str) -> SilenceMatchers {
    let label = LabelMatcher { name: name.to_owned(), op: MatchOperator::Is, value: value.to_owned() };
    SilenceMatchers { labels: vec![label], ..SilenceMatchers::default() }
}

/// Of everything with such a title.
pub fn titled(pattern: &str) -> SilenceMatchers {
    SilenceMatchers { title: Some(pattern.to_owned()), ..SilenceMatchers::default() }
}

impl Scene {
    /// A tool of the team, whose alerts are about the project.
    pub async fn source(&self, name: &str, policy: EscalationPolicyId) -> AlertSource {
        self.make_source(NewAlertSource {
            name: name.to_owned(),
            kind: AlertSourceKind::Generic,
            project: Some(self.world.project),
            policy,
            default_priority: Priority::High,
        })
        .await
    }

    pub async fn make_source(&self, new: NewAlertSource) -> AlertSource {
        let mut conn = self.world.store.conn().await.unwrap();
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&rand::random::<[u8; 8]>());
        let now = self.world.clock.now();
        let made =
            oncall::create_alert_source(&mut conn, self.team, &new, &hash, "tests", now).await.unwrap();
        made.unwrap()
    }

    pub async fn fires(&self, source: &AlertSource, alert: &Alert) -> Fired {
        self.try_fires(source, alert).await.unwrap()
    }

    pub async fn try_fires(&self, source: &AlertSource, alert: &Alert) -> Result<Fired, StoreError> {
        let mut conn = self.world.store.conn().await?;
        oncall::fire_alert(&mut conn, source, alert, self.world.clock.now()).await
    }

    /// As if each incident that is in the way of a new one ended before it is looked for; or that is over.
    pub async fn is_in_the_way(&self, yes: bool) {
        let sql = if yes {
            "CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER in_the_way BEFORE INSERT ON incidents FOR EACH ROW EXECUTE FUNCTION in_the_way()"
        } else {
            "DROP TRIGGER in_the_way ON incidents"
        };
        self.world.sql.batch_execute(sql).await.unwrap();
    }

    pub async fn ends(&self, source: &AlertSource, key: &str) -> Option<IncidentId> {
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::end_alert(&mut conn, source, key, self.world.clock.now()).await.unwrap()
    }

    pub async fn acknowledged_elsewhere(&self, source: &AlertSource, key: &str) -> Option<IncidentId> {
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::acknowledge_alert(&mut conn, source, key, self.world.clock.now()).await.unwrap()
    }

    /// `who` opens an incident about the team.
    pub async fn opens(&self, who: &Somebody, title: &str, policy: EscalationPolicyId) -> IncidentId {
        let new = NewIncident {
            team: self.team,
            project: None,
            policy,
            title: title.to_owned(),
            message: None,
            priority: Priority::High,
            links: Vec::new(),
        };
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::open_by_hand(&mut conn, &new, who.name, self.world.clock.now()).await.unwrap().unwrap()
    }

    /// A silence from now on for so many minutes.
    pub async fn silence(&self, matchers: SilenceMatchers, minutes: i64) -> SilenceId {
        let now = self.world.clock.now();
        let ends_at = now + TimeDelta::minutes(minutes);
        let comment = "maintenance".to_owned();
        self.make_silence(NewSilence { matchers, starts_at: now, ends_at, recurrence: None, comment }).await
    }

    pub async fn make_silence(&self, new: NewSilence) -> SilenceId {
        assert_eq!(oncall::silence_mistakes(&new.matchers), []);
        let mut conn = self.world.store.conn().await.unwrap();
        let now = self.world.clock.now();
        oncall::create_silence(&mut conn, self.team, &new, "ann", now).await.unwrap().unwrap().id
    }

    pub async fn end_silence(&self, silence: SilenceId) {
        let mut conn = self.world.store.conn().await.unwrap();
        assert!(oncall::delete_silence(&mut conn, silence).await.unwrap());
    }
}
