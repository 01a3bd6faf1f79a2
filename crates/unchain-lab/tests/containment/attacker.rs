use super::scene::Scene;
pub(crate) struct Attacker { pub(crate) next: i64 }
impl Attacker { pub(crate) fn act(&mut self, _scene: &Scene) { self.next += 200; } }
