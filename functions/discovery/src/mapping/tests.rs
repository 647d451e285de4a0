//! What becomes of what a line says.

mod courses;
mod instructors;
