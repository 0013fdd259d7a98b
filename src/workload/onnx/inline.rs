//! Calls of the model's own functions become the nodes of their bodies, and every tensor gets a name of its own.
//!
//! What a function or a branch of an If writes for itself is named after the node that calls it, so that one list can
//! hold all of it. Initializers and shapes inside branches move to the model. The bodies of Loop and Scan go: they are
//! refused later. Left out: a function's own operator sets (operators mean the same in all that this importer knows)
//! and functions of the same name that differ in `overload` alone.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

use super::model::Function;
use super::operators;
use super::order;
use super::problem::Problem;

/// Calls and branches inside each other. Our choice: exported modules nest some ten times.
const MAX_DEPTH: usize = 64;
/// Nodes after inlining, and bytes of their names and attributes: as many as a file without functions may have.
const MAX_NODES: u64 = 1 << 20;
const MAX_BYTES: u64 = 1 << 26;

/// A graph without calls, in which only If has graphs inside.
pub(super) fn inline(graph: GraphProto, functions: &[Function]) -> Result<GraphProto, Problem> {
    let GraphProto { node, initializer, input, output, value_info } = graph;
    let mut inliner = Inliner {
        functions: BTreeMap::new(),
        taken: BTreeSet::new(),
        calls: Vec::new(),
        depth: 0,
        nodes: 0,
        bytes: 0,
        initializer,
        value_info,
    };
    for function in functions {
        let key = (domain(Some(&function.domain)), function.name.as_str());
        inliner.functions.entry(key).or_default().push(function);
    }
    inliner.take(input.iter().filter_map(|input| input.name.as_deref()));
    inliner.take(node.iter().flat_map(|node| &node.output).map(String::as_str));
    let names: Vec<String> = inliner.initializer.iter().filter_map(|tensor| tensor.name.clone()).collect();
    inliner.take(names.iter().map(String::as_str));
    let mut model = Scope { outside: Outside::Model, names: BTreeMap::new(), prefix: "", attributes: None };
    let node = inliner.body(&node, &mut model)?;
    Ok(GraphProto { node, initializer: inliner.initializer, input, output, value_info: inliner.value_info })
}

/// Both names of ONNX's domain are one.
fn domain(domain: Option<&str>) -> &str {
    domain.filter(|&domain| !operators::is_onnx(Some(domain))).unwrap_or("")
}

/// What the names in a body stand for.
struct Scope<'s> {
    outside: Outside<'s>,
    /// Tensors of this body and their names in the model.
    names: BTreeMap<String, String>,
    /// Stands before the names of what is in this body.
    prefix: &'s str,
    /// The attributes of the call, in the body of a function.
    attributes: Option<&'s BTreeMap<&'s str, &'s AttributeProto>>,
}

/// Where a name is looked for that a body does not define.
#[derive(Clone, Copy)]
enum Outside<'s> {
    /// In the graph of the model, where names stay.
    Model,
    /// Nowhere: a function sees its inputs alone.
    Nothing,
    /// Around a branch.
    Scope(&'s Scope<'s>),
}

impl Scope<'_> {
    fn is_model(&self) -> bool {
        matches!(self.outside, Outside::Model)
    }

    /// An attribute as the call gives it, where it is one of the function's; none if the call leaves it out.
    fn attribute<'a>(&'a self, attribute: &'a AttributeProto) -> Option<&'a AttributeProto> {
        // `wire` keeps `ref_attr_name` here.
        let Some(reference) = attribute.strings.first() else { return Some(attribute) };
        self.attributes?.get(reference.as_str()).copied()
    }

    /// The name in the model of a tensor that a body reads.
    fn resolve(&self, name: &str) -> Option<String> {
        match (self.names.get(name), self.outside) {
            (Some(found), _) => Some(found.clone()),
            (None, _) if name.is_empty() => Some(String::new()),
            (None, Outside::Model) => Some(name.to_owned()),
            (None, Outside::Nothing) => None,
            (None, Outside::Scope(scope)) => scope.resolve(name),
        }
    }
}

struct Inliner<'f> {
    functions: BTreeMap<(&'f str, &'f str), Vec<&'f Function>>,
    /// The names that tensors of the model have.
    taken: BTreeSet<String>,
    /// The functions whose bodies are being written.
    calls: Vec<(&'f str, &'f str)>,
    depth: usize,
    nodes: u64,
    bytes: u64,
    initializer: Vec<TensorProto>,
    value_info: Vec<ValueInfoProto>,
}

impl<'f> Inliner<'f> {
    fn take<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        self.taken.extend(names.map(str::to_owned));
    }

    /// A name that no other tensor has.
    fn fresh(&mut self, prefix: &str, name: &str) -> Result<String, Problem> {
        let wanted = format!("{prefix}/{name}");
        self.pay(wanted.len())?;
        let mut numbered = (2..).map(|number: u64| format!("{wanted}_{number}"));
        let unused = match self.taken.contains(&wanted) {
            false => wanted.clone(),
            true => numbered.find(|name| !self.taken.contains(name)).expect("there is no end of numbers"),
        };
        self.taken.insert(unused.clone());
        Ok(unused)
    }

    /// Functions may call others twice and these again: what they grow to has to stay small.
    fn pay(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        match self.bytes > MAX_BYTES {
            true => Err(Problem::TooLarge { what: "bytes of nodes in functions", allowed: MAX_BYTES }),
            false => Ok(()),
        }
    }

    fn body(&mut self, nodes: &[NodeProto], scope: &mut Scope) -> Result<Vec<NodeProto>, Problem> {
        let mut written = Vec::with_capacity(nodes.len());
        for node in order::sorted(nodes)? {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(Problem::TooLarge { what: "nodes", allowed: MAX_NODES });
            }
            let node = self.renamed(node, scope)?;
            match self.function(&node)? {
                Some(function) => written.extend(self.call(&node, function)?),
                None => written.push(node),
            }
        }
        Ok(written)
    }

    /// A node with the names that its tensors have in the model and the attributes that it takes from a call.
    fn renamed(&mut self, node: &NodeProto, scope: &mut Scope) -> Result<NodeProto, Problem> {
        if !scope.is_model() {
            self.pay(size(node))?;
        }
        let label = || operators::label(node);
        let undefined = |tensor: &String| Problem::Undefined { node: label(), tensor: tensor.clone() };
        let input = |name: &String| scope.resolve(name).ok_or_else(|| undefined(name));
        let input = node.input.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        let mut output = Vec::with_capacity(node.output.len());
        for name in &node.output {
            output.push(self.defined(name, scope)?);
        }
        let mut attribute = Vec::with_capacity(node.attribute.len());
        for named in &node.attribute {
            let Some(given) = scope.attribute(named) else { continue };
            let g = match &given.g {
                Some(branch) if operators::onnx(node) == Some("If") => {
                    Some(self.branch(branch, &output, scope)?)
                }
                _ => None,
            };
            attribute.push(copied(named.name.clone(), given, g));
        }
        let name = match (node.name.as_deref(), scope.prefix) {
            (Some(name), prefix) if !name.is_empty() && !prefix.is_empty() => {
                Some(format!("{prefix}/{name}"))
            }
            (name, _) => name.map(str::to_owned),
        };
        let (domain, op_type) = (node.domain.clone(), node.op_type.clone());
        Ok(NodeProto { domain, name, input, output, op_type, attribute })
    }

    /// The name in the model of a tensor that a body writes.
    fn defined(&mut self, name: &str, scope: &mut Scope) -> Result<String, Problem> {
        if scope.is_model() || name.is_empty() {
            return Ok(name.to_owned());
        }
        if let Some(given) = scope.names.get(name) {
            return Ok(given.clone());
        }
        let fresh = self.fresh(scope.prefix, name)?;
        scope.names.insert(name.to_owned(), fresh.clone());
        Ok(fresh)
    }

    /// A branch that writes `outputs`.
    fn branch(
        &mut self,
        branch: &GraphProto,
        outputs: &[String],
        scope: &Scope,
    ) -> Result<GraphProto, Problem> {
        let prefix = outputs.first().map_or("", String::as_str);
        let outside = Outside::Scope(scope);
        let mut inside = Scope { outside, names: BTreeMap::new(), prefix, attributes: scope.attributes };
        for tensor in &branch.initializer {
            let name = self.defined(tensor.name.as_deref().unwrap_or(""), &mut inside)?;
            self.pay(elements(tensor))?;
            self.initializer.push(TensorProto { name: Some(name), ..tensor.clone() });
        }
        let results: Vec<&str> = branch.output.iter().map(|out| out.name.as_deref().unwrap_or("")).collect();
        let node = self.written(&branch.node, &results, outputs, &mut inside)?;
        for value in &branch.value_info {
            if let Some(name) = value.name.as_ref().and_then(|name| inside.names.get(name)) {
                let (name, r#type) = (Some(name.clone()), value.r#type.clone());
                self.value_info.push(ValueInfoProto { name, r#type });
            }
        }
        Ok(GraphProto { node, ..Default::default() })
    }

    /// The function that a node calls.
    fn function(&self, node: &NodeProto) -> Result<Option<&'f Function>, Problem> {
        let key = (domain(node.domain.as_deref()), node.op_type.as_deref().unwrap_or(""));
        let Some(functions) = self.functions.get(&key) else { return Ok(None) };
        let wrong = |what: &str| Err(Problem::node(operators::label(node), what));
        match functions[..] {
            _ if self.calls.contains(&key) => wrong("the function calls itself"),
            [function] => Ok(Some(function)),
            _ => wrong("the model has several functions of this name, which is not supported"),
        }
    }

    /// The body of the function in the place of a node that calls it.
    fn call(&mut self, node: &NodeProto, function: &'f Function) -> Result<Vec<NodeProto>, Problem> {
        if node.input.len() > function.inputs.len() || node.output.len() > function.outputs.len() {
            let what = format!(
                "the function has {} inputs and {} outputs, the call {} and {}",
                function.inputs.len(),
                function.outputs.len(),
                node.input.len(),
                node.output.len()
            );
            return Err(Problem::node(operators::label(node), what));
        }
        let attributes = function.defaults.iter().chain(&node.attribute);
        let attributes = attributes.filter_map(|given| Some((given.name.as_deref()?, given))).collect();
        let given = node.input.iter().cloned().chain(std::iter::repeat(String::new()));
        let prefix = match node.name.as_deref() {
            None | Some("") => node.output.first().map_or("", String::as_str),
            Some(name) => name,
        };
        let mut scope = Scope {
            outside: Outside::Nothing,
            names: function.inputs.iter().cloned().zip(given).collect(),
            prefix,
            attributes: Some(&attributes),
        };
        self.calls.push((domain(Some(&function.domain)), &function.name));
        let results: Vec<&str> = function.outputs.iter().map(String::as_str).collect();
        let body = self.written(&function.nodes, &results, &node.output, &mut scope);
        self.calls.pop();
        body
    }

    /// The nodes of a body whose `results` are tensors of the model under the names of `outputs`.
    fn written(
        &mut self,
        nodes: &[NodeProto],
        results: &[&str],
        outputs: &[String],
        scope: &mut Scope,
    ) -> Result<Vec<NodeProto>, Problem> {
        if self.depth == MAX_DEPTH {
            let allowed = MAX_DEPTH as u64;
            return Err(Problem::TooLarge { what: "functions and branches inside each other", allowed });
        }
        let computed: BTreeSet<&str> =
            nodes.iter().flat_map(|node| &node.output).map(String::as_str).collect();
        let mut passed_on = Vec::new();
        for (&result, output) in results.iter().zip(outputs).filter(|(_, output)| !output.is_empty()) {
            if computed.contains(result) && !scope.names.contains_key(result) {
                scope.names.insert(result.to_owned(), output.clone());
            } else {
                passed_on.push((result, output));
            }
        }
        self.depth += 1;
        let mut body = self.body(nodes, scope)?;
        self.depth -= 1;
        for (result, output) in passed_on {
            let undefined = || Problem::Undefined { node: scope.prefix.into(), tensor: result.into() };
            let input = scope.resolve(result).filter(|name| !name.is_empty()).ok_or_else(undefined)?;
            let (op_type, input, output) = (Some("Identity".into()), vec![input], vec![output.clone()]);
            body.push(NodeProto { op_type, input, output, ..Default::default() });
        }
        Ok(body)
    }
}

/// An attribute under the name that the body gives it, with another graph.
fn copied(name: Option<String>, given: &AttributeProto, g: Option<GraphProto>) -> AttributeProto {
    AttributeProto {
        name,
        f: given.f,
        s: given.s.clone(),
        i: given.i,
        g,
        t: given.t.clone(),
        floats: given.floats.clone(),
        ints: given.ints.clone(),
        strings: Vec::new(),
        r#type: given.r#type,
    }
}

/// About how many bytes a node takes.
fn size(node: &NodeProto) -> usize {
    let of_attribute = |attribute: &AttributeProto| {
        let text = attribute.s.as_ref().map_or(0, String::len);
        text + attribute.t.as_ref().map_or(0, elements) + 8 * (attribute.ints.len() + attribute.floats.len())
    };
    let names = node.input.iter().chain(&node.output).map(String::len).sum::<usize>();
    names + node.attribute.iter().map(of_attribute).sum::<usize>()
}

/// About how many bytes a tensor takes.
fn elements(tensor: &TensorProto) -> usize {
    let raw = tensor.raw_data.as_ref().map_or(0, |raw| raw.borrow().len());
    let short = tensor.float_data.len() + tensor.int32_data.len();
    raw + 4 * short + 8 * (tensor.dims.len() + tensor.int64_data.len() + tensor.double_data.len())
}
