//! The level of requests (`serve`, `dispatch`): is a fleet what its parts are?

mod identity;
