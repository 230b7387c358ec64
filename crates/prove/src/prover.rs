//! The prover: puts every question of an invariant to the solver, and every counter-example to Remit's own evaluator.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use cedar_policy::{EntityUid, PolicySet, RequestEnv};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, Env};
use remit_policy::{OperationShape, Schema};

use crate::estate::allowing_where;
use crate::question::{About, Question};
use crate::{Counterexample, Estate, Invariant, Solver, SolverMissing, limits, model, ordinary};

#[cfg(test)]
mod tests;

/// A stack on which terms can be walked that are as deep as a set of policies is long.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// Proves invariants with a solver.
#[derive(Debug, Clone)]
pub struct Prover {
    solver: Solver,
}

/// What came of one invariant.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It holds, for every call that there can be.
    Proved {
        /// How many questions it took: one for each verb, one for each operation that the policies single out.
        questions: usize,
    },
    /// No call can be one that it speaks of, whatever the policies say: it holds, and guards nothing.
    Vacuous {
        /// Why there is none.
        why: String,
    },
    /// It does not: here is a call that is allowed.
    Broken(Box<Counterexample>),
    /// The solver gave a call, and Remit's own evaluator does not allow it: neither a proof nor a hole.
    Unconfirmed {
        /// The call, as far as it could be read.
        example: Option<Box<Counterexample>>,
        /// Why it is not confirmed.
        why: String,
    },
    /// Nobody knows.
    NotProved {
        /// Why not.
        why: String,
    },
}

/// Among which calls one is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    /// Those that the policies allow.
    Allowed,
    /// All that there can be.
    All,
}

/// What the solver said to one question.
enum Answer {
    Impossible,
    Possible(Box<Env>),
}

impl Prover {
    /// Looks for the solver: `program`, or cvc5 on the path. Each question may take `time_limit`.
    ///
    /// # Errors
    /// If there is none that answers.
    pub fn find(program: Option<OsString>, time_limit: Duration) -> Result<Self, SolverMissing> {
        let named = program.clone().unwrap_or_default().to_string_lossy().into_owned();
        let found = aside(limits::INTRODUCTION_TIME_LIMIT, async move || Solver::find(program, time_limit).await);
        Ok(Self { solver: found.unwrap_or_else(|why| Err(SolverMissing { program: named, why }))? })
    }

    /// The solver that is used.
    pub fn solver(&self) -> &Solver {
        &self.solver
    }

    /// Proves `invariant` of `estate`, or finds a call that breaks it. Blocks while the solver thinks.
    pub fn prove(&self, estate: &Arc<Estate>, invariant: &Invariant) -> Verdict {
        let questions = match Question::all(estate, invariant) {
            Ok(questions) => questions,
            Err(error) => return Verdict::NotProved { why: error.to_string() },
        };
        let mut doubt = None;
        for (position, question) in questions.iter().enumerate() {
            let one = match self.answer(estate, invariant, position, Among::Allowed) {
                Ok(Answer::Impossible) => continue,
                Ok(Answer::Possible(env)) => judged(&env, estate, question, invariant),
                Err(why) => Verdict::NotProved { why: format!("`{}`: {why}", question.action()) },
            };
            if matches!(one, Verdict::Broken(_)) {
                return one;
            }
            // A hole elsewhere says more than a doubt here, and a doubtful hole more than no answer.
            let outweighs = matches!((&doubt, &one), (Some(Verdict::NotProved { .. }), Verdict::Unconfirmed { .. }));
            if doubt.is_none() || outweighs {
                doubt = Some(one);
            }
        }
        doubt.unwrap_or_else(|| self.about_something(estate, invariant, questions.len()))
    }

    /// What an invariant that nothing breaks is worth: a proof, if there can be a call that it speaks of at all.
    fn about_something(&self, estate: &Arc<Estate>, invariant: &Invariant, questions: usize) -> Verdict {
        if let Some(name) = &invariant.never.connector
            && estate.knows_no_operation_of(name)
        {
            return Verdict::Vacuous { why: format!("there is no operation of the connector `{name}`") };
        }
        let mut unknown = None;
        for position in 0..questions {
            match self.answer(estate, invariant, position, Among::All) {
                Ok(Answer::Possible(_)) => return Verdict::Proved { questions },
                Ok(Answer::Impossible) => {}
                Err(why) => unknown = Some(why),
            }
        }
        match unknown {
            Some(why) => Verdict::NotProved { why: format!("whether any call is one that it speaks of: {why}") },
            None => Verdict::Vacuous { why: "no call can be all that `never` says at once".to_owned() },
        }
    }

    /// The answer to the question at `position`. Policies can be written whose formulas grow without end before the solver sees
    /// them, so the work as a whole has a limit as well.
    fn answer(
        &self,
        estate: &Arc<Estate>,
        invariant: &Invariant,
        position: usize,
        among: Among,
    ) -> Result<Answer, String> {
        let (prover, estate, invariant) = (self.clone(), Arc::clone(estate), invariant.clone());
        aside(self.solver.time_limit() + limits::GRACE, async move || {
            let questions = Question::all(&estate, &invariant).map_err(|error| error.to_string())?;
            let question = questions.get(position).ok_or("the question is gone")?;
            prover.ask(&estate, question, among).await
        })?
    }

    async fn ask(&self, estate: &Estate, question: &Question<'_>, among: Among) -> Result<Answer, String> {
        let asked = Asked::prepare(estate, question, among)?;
        let deadline = Instant::now() + self.solver.time_limit();
        let Some(first) = self.solve(&asked, &[], deadline).await? else { return Ok(Answer::Impossible) };
        let shown = match among {
            Among::Allowed => self.more_ordinary(&asked, first, deadline).await,
            // Nobody looks at it.
            Among::All => first,
        };
        Ok(Answer::Possible(Box::new(shown)))
    }

    /// The same hole, in a call that looks as ordinary as it can: all preferences at once, else by halves.
    async fn more_ordinary(&self, asked: &Asked<'_>, first: Env, deadline: Instant) -> Env {
        let mut best = first;
        let mut kept: Vec<&str> = Vec::new();
        let mut open: Vec<&[&str]> = vec![ordinary::PREFERENCES];
        while let Some(tried) = open.pop() {
            let together: Vec<&str> = kept.iter().chain(tried).copied().collect();
            // Whatever goes wrong here, the call that was found stays.
            if let Ok(Some(found)) = self.solve(asked, &together, deadline).await {
                best = found;
                kept = together;
            } else if tried.len() > 1 {
                let (one, other) = tried.split_at(tried.len() / 2);
                open.extend([other, one]);
            }
        }
        best
    }

    /// A call among those that are asked about that is looked for and has everything in `extra`; nothing if there is none.
    async fn solve(&self, asked: &Asked<'_>, extra: &[&str], deadline: Instant) -> Result<Option<Env>, String> {
        let sought = asked.sought(extra)?;
        let solver = self.solver.start().map_err(|error| error.to_string())?;
        let mut compiler = CedarSymCompiler::<LocalSolver>::new(solver).map_err(|error| error.to_string())?;
        let answered = compiler.check_disjoint_with_counterexample_opt(&asked.among, &sought);
        // When the time is over the compiler goes, and with it the solver's process.
        match tokio::time::timeout_at(deadline.into(), answered).await {
            Ok(answer) => answer.map_err(|error| in_full(&error)),
            Err(_) => Err(format!(
                "the solver found neither a proof nor a call within {} s, with {} policies",
                self.solver.time_limit().as_secs_f64(),
                asked.policies
            )),
        }
    }
}

/// A question as the solver takes it, without what is sought.
struct Asked<'a> {
    question: &'a Question<'a>,
    schema: cedar_policy::Schema,
    environment: RequestEnv,
    /// The calls among which one is looked for, as the policies that allow them.
    among: CompiledPolicySet,
    /// How many policies these are.
    policies: usize,
    /// What must be possible to evaluate.
    needed: Vec<String>,
}

impl<'a> Asked<'a> {
    fn prepare(estate: &Estate, question: &'a Question<'a>, among: Among) -> Result<Self, String> {
        let schema = schema_for(estate, question)?;
        let environment = environment(question)?;
        let (policies, needed) = match among {
            Among::Allowed => {
                let policies = PolicySet::from_policies(question.rules.iter().map(|rule| rule.policy.clone()));
                (policies.map_err(|error| error.to_string())?, question.needed())
            }
            Among::All => {
                let policies: PolicySet = allowing_where(&[], &[]).parse().map_err(|error| format!("{error}"))?;
                (policies, question.spoken_of())
            }
        };
        let among = CompiledPolicySet::compile(&policies, &environment, &schema).map_err(|error| in_full(&error))?;
        Ok(Self { question, schema, environment, among, policies: policies.num_of_policies(), needed })
    }

    /// The set that allows exactly what is sought.
    fn sought(&self, extra: &[&str]) -> Result<CompiledPolicySet, String> {
        let Self { question, schema, environment, needed, .. } = self;
        let mut clauses = question.clauses();
        clauses.extend(extra.iter().map(|one| (*one).to_owned()));
        let sought: PolicySet = allowing_where(needed, &clauses)
            .parse()
            .map_err(|error| format!("what is looked for is not a condition: {error}"))?;
        if sought.num_of_policies() != clauses.len() + 1 {
            return Err("what is looked for is more than one condition".to_owned());
        }
        CompiledPolicySet::compile(&sought, environment, schema).map_err(|error| {
            format!("what is looked for does not fit operations with effect {}: {}", question.verb, in_full(&error))
        })
    }
}

/// The schema of what the question and the policies name: one of all operations would say no more, and take longer.
fn schema_for(estate: &Estate, question: &Question<'_>) -> Result<cedar_policy::Schema, String> {
    let own = match &question.about {
        About::Named(operation) => Some(operation),
        About::Others => None,
    };
    let named = estate.literals.operations.iter().filter_map(|id| estate.operation(id));
    let others = named.filter(|one| own.is_none_or(|own| own.id != one.id));
    let operations: Vec<&OperationShape> = own.into_iter().chain(others).collect();
    let schema = Schema::generate(operations.into_iter()).map_err(|error| error.to_string())?;
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(schema.text()).map_err(|error| error.to_string())?;
    Ok(schema)
}

fn environment(question: &Question<'_>) -> Result<RequestEnv, String> {
    let kind = |name: &str| name.parse::<cedar_policy::EntityTypeName>().map_err(|error| error.to_string());
    let action = EntityUid::from_type_name_and_id(kind("Action")?, cedar_policy::EntityId::new(question.action()));
    Ok(RequestEnv::new(kind("Agent")?, action, kind("Operation")?))
}

/// An error with what it is made of. The policies that are made for a question have no names that say anything.
fn in_full(error: &cedar_policy_symcc::err::Error) -> String {
    let cedar_policy_symcc::err::Error::PolicyNotWellTyped { errs } = error else { return error.to_string() };
    let sentences: BTreeSet<String> = errs
        .iter()
        .map(|error| error.to_string())
        .map(|told| match told.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, ")) {
            Some((_, sentence)) => sentence.to_owned(),
            None => told,
        })
        .collect();
    sentences.into_iter().collect::<Vec<_>>().join("; ")
}

/// What the solver gave, put to Remit's own evaluator.
fn judged(env: &Env, estate: &Estate, question: &Question<'_>, invariant: &Invariant) -> Verdict {
    let example = match model::read(env, estate, question) {
        Ok(example) => Box::new(example),
        Err(why) => return Verdict::Unconfirmed { example: None, why },
    };
    match example.confirmed(estate, invariant) {
        Ok(confirmed) => Verdict::Broken(Box::new(confirmed)),
        Err(why) => Verdict::Unconfirmed { example: Some(example), why },
    }
}

/// Runs `work` on a thread with a deep stack and a runtime of its own. This one waits for it, but not longer than `limit`: what is
/// left of it then ends with the process.
fn aside<T, F>(limit: Duration, work: impl FnOnce() -> F + Send + 'static) -> Result<T, String>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (sender, receiver) = mpsc::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let done = runtime.map(|runtime| runtime.block_on(work())).map_err(|error| format!("no runtime: {error}"));
        // Nobody waits any more where the time was over.
        drop(sender.send(done));
    };
    let thread = std::thread::Builder::new().name("prove".to_owned()).stack_size(STACK_BYTES).spawn(run);
    drop(thread.map_err(|error| format!("no thread: {error}"))?);
    match receiver.recv_timeout(limit) {
        Ok(done) => done,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(format!("the policies could not be put into formulas within {} s", limit.as_secs_f64()))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("the symbolic compiler gave up on these policies".to_owned()),
    }
}
