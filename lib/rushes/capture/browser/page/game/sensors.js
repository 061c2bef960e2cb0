// What the rescuer's instruments say: the telemetry of one moment, flat names, each from the state of the game.
//
// Positions and distances are units, angles radians, velocities units per second, accelerations units per second
// squared. `battery` and `fuel` are the same 0 to 100; `damage` is (100 - health) / 100. Proximity is the way that a
// ray at 0.8 units above the feet is free, 10 when nothing is nearer; `nearest_victim_angle` is atan2(dx, dz).

import { SENSED } from "./victims.js";

export const REACH = 10;

/** Read all instruments; changes nothing. */
export function telemetry(sim, event) {
  const { player, hazard, victims, plan } = sim;
  const camera = player.camera(sim);
  const [sin, cos] = [Math.sin(player.yaw), Math.cos(player.yaw)];
  const height = player.y - plan.ground(player.x, player.z) + 0.8;
  const free = (dx, dz) => sim.solid.ray(player.x, player.z, dx, dz, REACH, height);
  const [forward, left, right, back] = [free(-sin, -cos), free(-cos, sin), free(cos, -sin), free(sin, cos)];
  const nearest = victims.nearest(player);
  const away = (spot) => Math.hypot(spot.x - player.x, spot.z - player.z);
  return {
    event,
    battery: player.battery,
    fuel: player.battery,
    damage: (100 - player.health) / 100,
    health: player.health,
    zone: sim.zone,
    position_x: player.x,
    position_y: player.y,
    position_z: player.z,
    rotation_x: 0,
    rotation_y: player.yaw,
    rotation_z: -player.lean,
    velocity_x: player.velocity[0],
    velocity_y: player.velocity[1],
    velocity_z: player.velocity[2],
    acceleration_x: player.acceleration[0],
    acceleration_y: player.acceleration[1],
    acceleration_z: player.acceleration[2],
    camera_x: camera.x,
    camera_y: camera.y,
    camera_z: camera.z,
    camera_yaw: camera.yaw,
    camera_pitch: camera.pitch,
    is_jumping: player.jumping,
    inspect: sim.inspecting,
    destroy: sim.destroying,
    proximity: Math.min(forward, left, right, back),
    proximity_forward: forward,
    proximity_left: left,
    proximity_right: right,
    proximity_back: back,
    fuel_station_distance: Math.min(...plan.stations.map(away)),
    in_yellow_zone: sim.zone === "yellow",
    in_red_zone: sim.zone === "red",
    victims_total: victims.people.length,
    victims_saved: victims.count("saved"),
    victims_died: victims.count("dead"),
    victims_detected: victims.people.filter((person) => person.state === "waiting" && away(person) < SENSED).length,
    nearest_victim_distance: nearest ? away(nearest) : null,
    nearest_victim_angle: nearest ? Math.atan2(nearest.x - player.x, nearest.z - player.z) : null,
    nearest_victim_health: nearest ? nearest.health : null,
    score: sim.score,
  };
}
