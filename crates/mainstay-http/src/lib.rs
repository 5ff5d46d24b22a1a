//! The wire: routes, REST, OpenAPI, problem details.
