//! `/settings/people`: who may come in, and as what.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    ask::{AskPage, Comes, Does},
    error::PanelError,
    extract::{Form, Path},
    link::Link as Address,
    page::{Answer, Page, Shell, Tab},
};
use crate::{
    domain::Role,
    service::accounts::{
        Person,
        people::{self, Link, PeopleError},
    },
    store::{self, people::Shown},
};

const HERE: &str = "/settings/people";

#[derive(Debug, Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    people: Vec<Shown>,
    /// A link that was just made; it is shown this once.
    link: Option<Link>,
}

/// `GET /settings/people`
pub(super) async fn list(State(panel): State<Panel>, person: Person) -> Answer {
    panel.people(person, None).await
}

/// Somebody to let in.
#[derive(Debug, Deserialize)]
pub(super) struct Invitation {
    email: String,
    role: String,
}

/// `POST /settings/people`: the page shows the link, since it can be shown only now.
pub(super) async fn invite(
    State(panel): State<Panel>,
    person: Person,
    Form(Invitation { email, role }): Form<Invitation>,
) -> Answer {
    let role = role_of(&role)?;
    let (relay, actor) = (&panel.relay, &person.email);
    match people::invite(relay, person.tenant, &email, role, actor, store::now()).await {
        Ok(link) => panel.people(person, Some(link)).await,
        Err(error) => panel.told(&person, HERE, Err(error)).await,
    }
}

/// Another role for somebody.
#[derive(Debug, Deserialize)]
pub(super) struct NewRole {
    role: String,
}

/// `POST /settings/people/{id}/role`
pub(super) async fn set_role(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Form(NewRole { role }): Form<NewRole>,
) -> Answer {
    let role = role_of(&role)?;
    let (relay, actor) = (&panel.relay, &person.email);
    let set = people::set_role(relay, person.tenant, id, role, actor, store::now()).await;
    panel.told(&person, HERE, set.map(|email| format!("{email} is {role} now."))).await
}

/// `POST /settings/people/{id}/link`: a new link, for a password that was never set, or is forgotten.
pub(super) async fn renew_link(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    match people::renew_link(relay, person.tenant, id, actor, store::now()).await {
        Ok(link) => panel.people(person, Some(link)).await,
        Err(error) => panel.told(&person, HERE, Err(error)).await,
    }
}

/// `GET /settings/people/{id}/remove`: what it would do, before it is done.
pub(super) async fn ask_remove(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let people = people::list(&panel.relay, person.tenant).await?;
    let one = people.into_iter().find(|one| one.id == id).ok_or(PeopleError::Unknown)?;
    let comes = [
        "They are logged out everywhere and can no longer log in. A link to set a password that they still have no longer works.",
        "What they did stays, in the activity and in the history of each piece, with their name.",
        "You can invite them again at any time.",
    ];
    let to = Address::to(format!("{HERE}/{id}/remove"));
    let does = Does { to, told: None, button: "Remove", loses: true };
    let shell = panel.shell(person, Tab::Settings).await?;
    let page = AskPage {
        shell,
        question: format!("Remove {}?", one.email),
        comes: comes.map(Comes::plain).into(),
        does: Some(does),
        back: (Address::to(HERE), "Keep them"),
    };
    Ok(Page(page).into_response())
}

/// `POST /settings/people/{id}/remove`
pub(super) async fn remove(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let removed = people::remove(relay, person.tenant, id, actor, store::now()).await;
    panel.told(&person, HERE, removed.map(|email| format!("{email} can no longer log in."))).await
}

fn role_of(text: &str) -> Result<Role, PanelError> {
    Role::parse(text).map_err(|error| PanelError::BadRequest(error.to_string()))
}

impl Panel {
    async fn people(&self, person: Person, link: Option<Link>) -> Answer {
        let people = people::list(&self.relay, person.tenant).await?;
        let shell = self.shell(person, Tab::Settings).await?;
        Ok(Page(PeoplePage { shell, people, link }).into_response())
    }
}
