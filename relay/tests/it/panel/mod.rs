//! The panel as a browser sees it.

mod accounts;
mod activity;
mod browser;
mod inert;
mod integrations;
mod people;
mod routes;
