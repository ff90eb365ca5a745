//! The simulator over its wire, read by AWS's own frame decoder.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod client;
#[cfg(test)]
mod control;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod login;
#[cfg(test)]
mod management;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod surfaces;
#[cfg(test)]
mod throughput;
