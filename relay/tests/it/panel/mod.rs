//! The panel as a browser sees it.

mod accounts;
mod activity;
mod browser;
mod inert;
mod inventory;
mod people;
mod routes;
mod sales;
