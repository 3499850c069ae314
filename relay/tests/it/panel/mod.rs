//! The panel as a browser sees it.

mod accounts;
mod activity;
mod browser;
mod events;
mod inert;
mod integrations;
mod inventory;
mod people;
mod routes;
mod sales;
