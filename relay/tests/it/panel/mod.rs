//! The panel as a browser sees it.

mod accounts;
mod activity;
pub(crate) mod browser;
mod customers;
mod drift;
mod events;
mod home;
mod inert;
mod integrations;
mod inventory;
mod people;
mod routes;
mod runs;
mod sales;
mod waiting;
