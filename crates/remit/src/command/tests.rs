use clap::{CommandFactory, Parser};

use super::{Cli, command_in};

#[test]
fn the_tree_of_commands_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_help_with_an_example() {
    fn look(command: &clap::Command, path: &str) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            assert!(below.get_about().is_some(), "`{path}` does not say what it does");
            let example = below.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(below.has_subcommands() || example.contains("remit "), "`{path}` has no example");
            look(below, &path);
        }
    }
    look(&Cli::command(), "remit");
}

#[test]
fn every_example_is_accepted() {
    fn look(command: &clap::Command) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.lines().map(str::trim).filter(|line| line.starts_with("remit ")) {
            let words = words(line);
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("`{line}`: {error}");
            }
        }
        command.get_subcommands().for_each(look);
    }
    look(&Cli::command());
}

#[test]
fn help_names_the_command_that_was_typed() {
    for (line, command) in [
        ("remit policy check somewhere --offline", "remit policy check"),
        ("remit --json connect --connector a", "remit connect"),
        ("remit policy", "remit"),
    ] {
        assert_eq!(command_in(words(line).into_iter().map(Into::into)), command, "{line}");
    }
}

/// The words of a line, with double quotes as a shell reads them. What comes after a pipe or a redirection is left out.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            '>' | '|' if !quoted => break,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
